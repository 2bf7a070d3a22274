BEGIN;
SET LOCAL statement_timeout = '5min';
ALTER TABLE museum_objects ADD COLUMN provenance_card varchar(160) NOT NULL DEFAULT '';
UPDATE museum_objects SET provenance_card = provenance::varchar(160);
ALTER TABLE museum_objects DROP COLUMN provenance;
ALTER TABLE museum_objects RENAME COLUMN provenance_card TO provenance;

COMMIT;
