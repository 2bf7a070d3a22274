BEGIN;
--
-- Alter fields on pageview
--
ALTER TABLE "page_views" ALTER COLUMN "referrer" TYPE varchar(500);
ALTER TABLE "page_views" ADD COLUMN "micros" bigint NULL;
COMMIT;
