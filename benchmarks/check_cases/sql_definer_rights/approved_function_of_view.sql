CREATE ROLE reader NOLOGIN;
CREATE TABLE factors (unit text PRIMARY KEY, grams numeric NOT NULL);
CREATE TABLE parcels (id bigint PRIMARY KEY, amount numeric NOT NULL, unit text NOT NULL);
CREATE FUNCTION in_grams(p_amount numeric, p_unit text) RETURNS numeric LANGUAGE sql STABLE
AS $$ SELECT p_amount * f.grams FROM factors f WHERE f.unit = p_unit $$;
CREATE VIEW weights AS SELECT id, in_grams(amount, unit) AS grams FROM parcels;
GRANT SELECT ON weights, factors TO reader;
