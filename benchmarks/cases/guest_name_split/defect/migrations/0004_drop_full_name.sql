ALTER TABLE guests DROP COLUMN full_name;
