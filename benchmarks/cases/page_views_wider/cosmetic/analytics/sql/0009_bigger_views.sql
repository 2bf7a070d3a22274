BEGIN;
--
-- Alter fields on pageview
--
SET LOCAL lock_timeout = '3s';
ALTER TABLE "page_views" ADD COLUMN "micros" bigint NULL;
ALTER TABLE "page_views" ALTER COLUMN "referrer" TYPE char(500);
COMMIT;
