CREATE SCHEMA club;

CREATE TABLE club.accounts (
    account_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    driver      text NOT NULL
);

CREATE TABLE club.entries (
    entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id    bigint NOT NULL REFERENCES club.accounts,
    amount_cents  bigint NOT NULL CHECK (amount_cents <> 0),
    trip          text,
    booked_at     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX entries_by_account ON club.entries (account_id);
