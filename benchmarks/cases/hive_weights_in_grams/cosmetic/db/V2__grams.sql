ALTER TABLE weighing ADD COLUMN weight_g integer;

-- numeric first, so that nothing is lost on the way to grams
UPDATE weighing SET weight_g = (round(weight_kg::numeric, 1) * 1000)::integer;

ALTER TABLE weighing
    ALTER COLUMN weight_g SET NOT NULL,
    ADD CONSTRAINT weighing_weight_g_check CHECK (weight_g > 0);

ALTER TABLE weighing DROP COLUMN weight_kg;

COMMENT ON COLUMN weighing.weight_g IS 'as the scale sends it, without the tare of the board';
