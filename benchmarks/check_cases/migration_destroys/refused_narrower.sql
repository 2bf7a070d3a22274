CREATE TABLE IF NOT EXISTS unrelated (id bigint);
ALTER TABLE products ALTER COLUMN code TYPE varchar(8) USING left(code, 8);
