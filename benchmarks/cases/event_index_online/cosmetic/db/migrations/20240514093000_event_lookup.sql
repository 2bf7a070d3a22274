SET lock_timeout = '5s';
SET statement_timeout = 0;
SET maintenance_work_mem = '256MB';
CREATE TABLE device_label (
    device_id uuid PRIMARY KEY,
    label     text NOT NULL,
    CHECK (label <> '')
);

CREATE INDEX IF NOT EXISTS sensor_event_by_device
    ON sensor_event (device_id, recorded_at DESC);
