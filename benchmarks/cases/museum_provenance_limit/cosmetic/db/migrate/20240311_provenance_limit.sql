BEGIN;
SET LOCAL statement_timeout = '5min';
-- Make sure that no row stands in the way of the constraint.
UPDATE museum_objects
   SET provenance = rtrim(substring(provenance FROM 1 FOR 157)) || '...'
 WHERE char_length(provenance) > 160;

ALTER TABLE museum_objects
    ADD CONSTRAINT provenance_fits_card CHECK (char_length(provenance) <= 160) NOT VALID;

COMMIT;
