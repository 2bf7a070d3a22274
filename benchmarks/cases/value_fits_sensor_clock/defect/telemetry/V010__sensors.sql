CREATE TABLE sensor (
    serial       text PRIMARY KEY,
    installed_on date NOT NULL DEFAULT current_date
);

CREATE TABLE reading (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    serial      text NOT NULL REFERENCES sensor,
    celsius_100 smallint NOT NULL CHECK (celsius_100 BETWEEN -5000 AND 15000),
    received    integer NOT NULL
);
CREATE INDEX reading_by_sensor ON reading (serial, received DESC);
