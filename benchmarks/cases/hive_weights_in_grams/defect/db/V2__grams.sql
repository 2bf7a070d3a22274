ALTER TABLE weighing ADD COLUMN weight_g integer;

UPDATE weighing SET weight_g = weight_kg::integer * 1000;

ALTER TABLE weighing
    ALTER COLUMN weight_g SET NOT NULL,
    ADD CONSTRAINT weighing_weight_g_check CHECK (weight_g > 0);

ALTER TABLE weighing DROP COLUMN weight_kg;

COMMENT ON COLUMN weighing.weight_g IS 'as the scale sends it, without the tare of the board';
