CREATE TEMPORARY TABLE batch (id bigint);
INSERT INTO batch SELECT id FROM audit_log;
TRUNCATE batch;
