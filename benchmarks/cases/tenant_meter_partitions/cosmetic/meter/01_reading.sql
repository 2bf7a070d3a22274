CREATE SCHEMA meter;

CREATE TABLE meter.reading (
    utility_id integer NOT NULL,
    meter_no   text NOT NULL,
    read_on    date NOT NULL,
    kwh        numeric(12, 3) NOT NULL CHECK (kwh >= 0),
    PRIMARY KEY (utility_id, meter_no, read_on)
) PARTITION BY RANGE (read_on);

CREATE TABLE meter.reading_2026_01 PARTITION OF meter.reading
    FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE meter.reading_2026_02 PARTITION OF meter.reading
    FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
