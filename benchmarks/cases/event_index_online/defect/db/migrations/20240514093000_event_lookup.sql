SET statement_timeout = 0;
CREATE TABLE device_label (
    device_id uuid PRIMARY KEY,
    label     text NOT NULL,
    CHECK (label <> '')
);

CREATE INDEX IF NOT EXISTS sensor_event_by_device
    ON sensor_event (device_id, recorded_at DESC);
