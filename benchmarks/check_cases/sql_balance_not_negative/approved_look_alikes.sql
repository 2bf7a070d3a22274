CREATE TABLE balance_sheets (id bigint PRIMARY KEY, balance_sheet_id bigint, balance_type smallint, net_balance numeric);
CREATE TABLE ledger_entries (id bigint PRIMARY KEY, amount numeric NOT NULL, delta bigint, balance_after numeric);
CREATE TABLE photos (id bigint PRIMARY KEY, white_balance int, balanced boolean NOT NULL DEFAULT false);
CREATE TABLE courses (id bigint PRIMARY KEY, credits int NOT NULL);
CREATE VIEW account_balances AS SELECT account_id, sum(amount) AS balance FROM ledger_lines GROUP BY account_id;
