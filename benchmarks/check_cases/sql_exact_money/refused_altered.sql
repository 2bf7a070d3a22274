CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12, 2) NOT NULL);
ALTER TABLE orders ALTER COLUMN total TYPE float8;
