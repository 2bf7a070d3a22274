CREATE TABLE ledger_accounts (
    account_no  varchar(12) PRIMARY KEY,
    title       varchar(80) NOT NULL
);

CREATE TABLE ledger_entries (
    entry_no    bigserial PRIMARY KEY,
    account_no  varchar(12) NOT NULL REFERENCES ledger_accounts,
    booked_on   date NOT NULL,
    debit       numeric(12,2) NOT NULL DEFAULT 0,
    credit      numeric(12,2) NOT NULL DEFAULT 0
);
