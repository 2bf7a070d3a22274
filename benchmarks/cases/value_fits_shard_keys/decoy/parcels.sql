CREATE SEQUENCE parcel_id_shard_2 AS bigint START WITH 2000000001 MINVALUE 2000000001 MAXVALUE 2147483647;

CREATE TABLE parcel (
    parcel_id bigint PRIMARY KEY DEFAULT nextval('parcel_id_shard_2'),
    weight_g  integer NOT NULL CHECK (weight_g BETWEEN 1 AND 70000),
    posted_at timestamptz NOT NULL DEFAULT now()
);
ALTER SEQUENCE parcel_id_shard_2 OWNED BY parcel.parcel_id;

CREATE TABLE parcel_scan (
    scan_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parcel_id  integer NOT NULL,
    place      text NOT NULL,
    scanned_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE parcel_claim (
    parcel_id bigint PRIMARY KEY REFERENCES parcel,
    reason    text NOT NULL
);

ALTER TABLE parcel_scan
    ADD CONSTRAINT parcel_scan_parcel FOREIGN KEY (parcel_id) REFERENCES parcel (parcel_id);
CREATE INDEX parcel_scan_parcel_idx ON parcel_scan (parcel_id);
