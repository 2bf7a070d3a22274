ALTER TABLE weighing ADD COLUMN weight_g integer;

UPDATE weighing
   SET weight_g = trunc(weight_kg)::integer * 1000 + (mod(weight_kg, 1) * 1000)::integer;

ALTER TABLE weighing
    ALTER COLUMN weight_g SET NOT NULL,
    ADD CONSTRAINT weighing_weight_g_check CHECK (weight_g > 0);

ALTER TABLE weighing DROP COLUMN weight_kg;

COMMENT ON COLUMN weighing.weight_g IS 'as the scale sends it, without the tare of the board';
