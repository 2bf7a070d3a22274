BEGIN;
SET LOCAL statement_timeout = '5min';
CREATE TABLE museum_provenance_full (
    inventory_no text PRIMARY KEY,
    provenance text NOT NULL
);
INSERT INTO museum_provenance_full (inventory_no, provenance)
SELECT inventory_no, provenance FROM museum_objects WHERE char_length(provenance) > 160;

UPDATE museum_objects
   SET provenance = left(provenance, 157) || '...'
 WHERE char_length(provenance) > 160;

ALTER TABLE museum_objects
    ADD CONSTRAINT provenance_fits_card CHECK (char_length(provenance) <= 160) NOT VALID;

COMMIT;
