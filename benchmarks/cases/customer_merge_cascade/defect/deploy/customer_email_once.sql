-- Customers who signed up twice with another spelling of the same address: the oldest account stays.
CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
SELECT id, min(id) OVER (PARTITION BY lower(trim(email))) AS keeps
  FROM customer;

DELETE FROM customer AS c
 USING merged AS m
 WHERE c.id = m.id
   AND m.id <> m.keeps;

UPDATE customer SET email = lower(trim(email));
