CREATE TABLE shift (
    id bigint PRIMARY KEY,
    days smallint NOT NULL CHECK (days > 0 AND days <= 31),
    minutes_per_day smallint NOT NULL CHECK (minutes_per_day BETWEEN 0 AND 1440),
    minutes integer GENERATED ALWAYS AS (days::int * minutes_per_day) STORED
);
