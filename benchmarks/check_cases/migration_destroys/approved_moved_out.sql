CREATE TABLE addresses (customer_id bigint PRIMARY KEY, street text, city text);
INSERT INTO addresses (customer_id, street, city)
    SELECT id, street, city FROM customers WHERE street IS NOT NULL;
ALTER TABLE customers DROP COLUMN street;
