BEGIN;
--
-- Alter fields on pageview
--
ALTER TABLE "page_views" ALTER COLUMN "referrer" TYPE varchar(500);
ALTER TABLE "page_views" ADD COLUMN "micros" bigint NULL;
ALTER TABLE "page_views" ADD COLUMN "path_length" integer GENERATED ALWAYS AS (length("path")) STORED;
COMMIT;
