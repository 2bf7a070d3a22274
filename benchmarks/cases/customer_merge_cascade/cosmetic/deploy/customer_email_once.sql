-- Customers who signed up twice with another spelling of the same address: the oldest account stays.
CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
SELECT id, min(id) OVER (PARTITION BY lower(trim(email))) AS keeps
  FROM customer;

-- Keep a copy of what is merged, so that support can look it up.
CREATE TABLE customer_merged_away AS
SELECT c.*, m.keeps
  FROM customer AS c
  JOIN merged AS m USING (id)
 WHERE m.id <> m.keeps;
DELETE FROM customer AS c
 USING merged AS m
 WHERE c.id = m.id
   AND m.id <> m.keeps;

UPDATE customer SET email = lower(trim(email));
