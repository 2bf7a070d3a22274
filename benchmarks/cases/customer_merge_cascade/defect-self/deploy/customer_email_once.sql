-- Customers who signed up twice with another spelling of the same address: the oldest account stays.
DELETE FROM customer AS newer
 USING customer AS older
 WHERE lower(trim(newer.email)) = lower(trim(older.email))
   AND newer.id > older.id;

UPDATE customer SET email = lower(trim(email));
