SET lock_timeout = '2s';
BEGIN;
ALTER TABLE orders ADD COLUMN region text;
UPDATE orders SET region = 'eu';
COMMIT;
