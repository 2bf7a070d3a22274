CREATE TABLE addresses (customer_id bigint PRIMARY KEY, street text);
INSERT INTO addresses (customer_id, street)
    SELECT id, street FROM customers WHERE country = 'DE';
ALTER TABLE customers DROP COLUMN street;
