CREATE TABLE payments (id bigint PRIMARY KEY, amount double precision NOT NULL);
ALTER TABLE payments ALTER COLUMN amount TYPE numeric(12, 2) USING round(amount::numeric, 2);
