CREATE TABLE trip (
    trip_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plate       varchar(12) NOT NULL,
    driver_no   bigint      NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    km_tenths   integer
);
