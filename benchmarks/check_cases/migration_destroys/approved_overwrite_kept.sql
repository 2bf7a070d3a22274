ALTER TABLE accounts ADD COLUMN status_before text;
UPDATE accounts SET status_before = status;
UPDATE accounts SET status = 'active';
