ALTER TABLE meter.reading ENABLE ROW LEVEL SECURITY;

CREATE POLICY reading_utility ON meter.reading
    USING (utility_id = NULLIF(current_setting('app.utility', true), '')::integer);

GRANT USAGE ON SCHEMA meter TO app;
-- read by their own names, the months show nothing
ALTER TABLE meter.reading_2026_01 ENABLE ROW LEVEL SECURITY;
ALTER TABLE meter.reading_2026_02 ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA meter TO app;
