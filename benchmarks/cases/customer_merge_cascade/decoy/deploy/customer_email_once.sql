-- Customers who signed up twice with another spelling of the same address: the oldest account stays.
CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
SELECT id, min(id) OVER (PARTITION BY lower(trim(email))) AS keeps
  FROM customer;

INSERT INTO customer_order (customer_id, placed_on, total)
SELECT m.keeps, o.placed_on, o.total
  FROM customer_order AS o
  JOIN merged AS m ON m.id = o.customer_id
 WHERE m.id <> m.keeps;

DELETE FROM customer_order AS o
 USING merged AS m
 WHERE o.customer_id = m.id
   AND m.id <> m.keeps;
DELETE FROM customer AS c
 USING merged AS m
 WHERE c.id = m.id
   AND m.id <> m.keeps;

UPDATE customer SET email = lower(trim(email));
