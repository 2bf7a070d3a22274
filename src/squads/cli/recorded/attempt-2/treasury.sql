-- What each guild owns, in cents. Transfers debit one row and credit another.
CREATE TABLE guild_treasuries (
    guild_id   uuid PRIMARY KEY,
    balance    bigint NOT NULL DEFAULT 0,
    currency   char(3) NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT guild_treasuries_balance_not_negative CHECK (balance >= 0)
);
