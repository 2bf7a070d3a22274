CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, total numeric(12, 2) NOT NULL, region text);
CREATE VIEW order_statistics AS
    SELECT region, avg(total::double precision) AS mean, stddev(total::float8) AS spread,
        sum(total)::float8 / nullif((SELECT sum(total) FROM orders), 0)::float8 AS share
    FROM orders GROUP BY region;
