GRANT USAGE ON SCHEMA billing, audit TO app;
GRANT EXECUTE ON FUNCTION audit.note() TO app;
GRANT SELECT, INSERT, UPDATE ON billing.invoice TO app;
