GRANT USAGE ON SCHEMA billing TO app;
GRANT SELECT, INSERT, UPDATE ON billing.invoice TO app;
