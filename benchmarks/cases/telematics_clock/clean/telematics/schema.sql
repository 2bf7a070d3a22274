CREATE TABLE car (
    plate      varchar(12) PRIMARY KEY,
    model      text    NOT NULL,
    in_service boolean NOT NULL DEFAULT true
);

CREATE TABLE car_position (
    position_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plate       varchar(12)      NOT NULL REFERENCES car,
    latitude    double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude   double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    received_at bigint           NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)
);

CREATE INDEX car_position_latest ON car_position (plate, received_at DESC);

CREATE FUNCTION report_position(p_plate text, p_latitude double precision, p_longitude double precision)
RETURNS bigint
LANGUAGE sql AS $$
    INSERT INTO car_position (plate, latitude, longitude)
    VALUES (p_plate, p_latitude, p_longitude)
    RETURNING position_id
$$;

CREATE VIEW car_last_seen AS
SELECT DISTINCT ON (plate) plate, latitude, longitude, received_at
  FROM car_position
 ORDER BY plate, received_at DESC;

GRANT SELECT ON car, car_last_seen TO app;
GRANT SELECT, INSERT ON car_position TO app;
