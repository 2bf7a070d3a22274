BEGIN;
SET LOCAL statement_timeout = '5min';
ALTER TABLE museum_objects
    ALTER COLUMN provenance TYPE varchar(160) USING left(provenance, 160);

COMMIT;
