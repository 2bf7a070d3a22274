ALTER TABLE meter.reading ENABLE ROW LEVEL SECURITY;

CREATE POLICY reading_utility ON meter.reading
    USING (utility_id = NULLIF(current_setting('app.utility', true), '')::integer);

GRANT USAGE ON SCHEMA meter TO app;
GRANT SELECT, INSERT ON meter.reading TO app;
