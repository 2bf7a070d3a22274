SET lock_timeout = '2s';
BEGIN;
ALTER TABLE orders ADD COLUMN region text;
DO $$
BEGIN
    LOOP
        UPDATE orders SET region = 'eu'
        WHERE id IN (SELECT id FROM orders WHERE region IS NULL LIMIT 1000);
        EXIT WHEN NOT FOUND;
    END LOOP;
END $$;
COMMIT;
