CREATE TABLE trips (
    trip_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    car         text NOT NULL,
    driver      text NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz
);

CREATE INDEX trips_by_car ON trips (car, started_at);
