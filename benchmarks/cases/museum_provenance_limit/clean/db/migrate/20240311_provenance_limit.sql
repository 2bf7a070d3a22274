BEGIN;
SET LOCAL statement_timeout = '5min';
ALTER TABLE museum_objects
    ADD CONSTRAINT provenance_fits_card CHECK (char_length(provenance) <= 160) NOT VALID;

COMMIT;
