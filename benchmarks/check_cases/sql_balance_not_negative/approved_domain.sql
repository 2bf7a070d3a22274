CREATE DOMAIN money_amount AS numeric(12, 2) NOT NULL DEFAULT 0 CHECK (VALUE >= 0);
CREATE TABLE accounts (id bigint PRIMARY KEY, balance money_amount, escrow money_amount);
