ALTER TABLE customers ADD COLUMN full_name text;
ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;
