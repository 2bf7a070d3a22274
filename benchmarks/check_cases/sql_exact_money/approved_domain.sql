CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE >= 0);
CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, list price NOT NULL);
