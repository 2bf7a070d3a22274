SET lock_timeout = '3s';

ALTER TABLE scan_event
    ADD COLUMN IF NOT EXISTS stored_at timestamptz NULL
        DEFAULT date_trunc('milliseconds', clock_timestamp());

COMMENT ON COLUMN scan_event.stored_at IS 'when the row came in, by the clock of the database';
