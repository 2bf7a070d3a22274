ALTER TABLE visits ALTER COLUMN seen_at TYPE date USING seen_at::date;
