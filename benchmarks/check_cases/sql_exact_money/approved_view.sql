CREATE TABLE sales (id bigint PRIMARY KEY, shop_id bigint, amount numeric(12, 2) NOT NULL);
CREATE VIEW takings AS SELECT shop_id, sum(amount) AS total FROM sales GROUP BY shop_id;
