BEGIN;
ALTER TABLE customers ADD COLUMN full_name text;
UPDATE customers SET full_name = left(last_name, 20);
ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;
COMMIT;
