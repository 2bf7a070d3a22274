CREATE TABLE notes (id bigint PRIMARY KEY);
ALTER TABLE orders ADD COLUMN note text;
