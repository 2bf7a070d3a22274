GRANT USAGE ON SCHEMA billing TO app;
GRANT SELECT, INSERT, UPDATE ON billing.invoice TO app;
-- triggers write as whoever runs them; reading the trail is for others
GRANT USAGE ON SCHEMA audit TO app;
GRANT INSERT ON audit.entry TO app;
