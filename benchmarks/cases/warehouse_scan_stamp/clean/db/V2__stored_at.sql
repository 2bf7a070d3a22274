SET lock_timeout = '3s';

ALTER TABLE scan_event
    ADD COLUMN stored_at timestamptz;
ALTER TABLE scan_event
    ALTER COLUMN stored_at SET DEFAULT clock_timestamp();

COMMENT ON COLUMN scan_event.stored_at IS 'when the row came in, by the clock of the database';
