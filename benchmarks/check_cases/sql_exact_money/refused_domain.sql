CREATE DOMAIN price AS real CHECK (VALUE >= 0);
CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, list price NOT NULL);
