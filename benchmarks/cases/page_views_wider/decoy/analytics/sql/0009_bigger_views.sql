BEGIN;
--
-- Alter fields on pageview
--
ALTER TABLE "page_views" ALTER COLUMN "referrer" TYPE text;
ALTER TABLE "page_views" ADD CONSTRAINT "referrer_length" CHECK (length("referrer") <= 500) NOT VALID;
ALTER TABLE "page_views" ADD COLUMN "micros" bigint NOT NULL DEFAULT 0;
COMMIT;
