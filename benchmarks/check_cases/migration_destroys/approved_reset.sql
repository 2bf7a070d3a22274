DROP TABLE IF EXISTS items;
DROP TABLE IF EXISTS carts;
CREATE TABLE carts (id bigint PRIMARY KEY);
CREATE TABLE items (id bigint PRIMARY KEY, cart_id bigint REFERENCES carts (id));
ALTER TABLE items ADD COLUMN note text;
ALTER TABLE items DROP COLUMN note;
