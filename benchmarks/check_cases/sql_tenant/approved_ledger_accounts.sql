CREATE TABLE accounts (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE postings (id bigint PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts (id), cents bigint);
CREATE VIEW balances AS SELECT a.id, sum(p.cents) AS cents FROM accounts a JOIN postings p ON p.account_id = a.id
    GROUP BY a.id;
CREATE FUNCTION posting(p_id bigint) RETURNS postings LANGUAGE sql AS $$ SELECT * FROM postings WHERE id = p_id $$;
