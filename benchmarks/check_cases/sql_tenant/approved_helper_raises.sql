CREATE FUNCTION lab_may(p_hospital int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  h text := current_setting('app.hospital', true);
BEGIN
  IF h IS NULL OR h = '' THEN
    RAISE EXCEPTION 'no hospital set';
  END IF;
  IF p_hospital <> h::int THEN
    RETURN false;
  END IF;
  RETURN true;
END $$;
CREATE TABLE samples (id bigint PRIMARY KEY, hospital_id int NOT NULL, barcode text NOT NULL);
ALTER TABLE samples ENABLE ROW LEVEL SECURITY;
CREATE POLICY samples_h ON samples USING (lab_may(hospital_id));
GRANT SELECT, INSERT ON samples TO labapp;
