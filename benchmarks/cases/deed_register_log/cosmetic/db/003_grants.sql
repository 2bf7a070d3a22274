GRANT USAGE ON SCHEMA notary TO app;
GRANT SELECT, INSERT ON notary.deed TO app;
GRANT SELECT ON notary.deed_log TO app;
-- app must be able to run the trigger
GRANT EXECUTE ON FUNCTION notary.log_deed() TO app;
