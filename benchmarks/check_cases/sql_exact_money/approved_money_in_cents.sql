CREATE TABLE wallets (id bigint PRIMARY KEY, balance_cents bigint NOT NULL CHECK (balance_cents >= 0), fee_cents integer, price money);
