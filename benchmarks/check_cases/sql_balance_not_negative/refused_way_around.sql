CREATE TABLE wallets (
    owner_id        uuid NOT NULL,
    currency        char(3) NOT NULL,
    amount          numeric(18, 8) NOT NULL DEFAULT 0,
    allow_negative  boolean NOT NULL DEFAULT true,
    PRIMARY KEY (owner_id, currency),
    CHECK (amount >= 0 OR allow_negative)
);
