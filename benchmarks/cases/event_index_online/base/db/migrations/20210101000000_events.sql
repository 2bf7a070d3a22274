CREATE TABLE sensor_event (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    payload     jsonb       NOT NULL
);
