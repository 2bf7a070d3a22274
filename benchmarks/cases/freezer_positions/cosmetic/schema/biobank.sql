CREATE SCHEMA biobank;

CREATE TABLE biobank.freezer (
    freezer_code  text PRIMARY KEY,
    room          text     NOT NULL,
    setpoint_c    smallint NOT NULL CHECK (setpoint_c BETWEEN -196 AND 8)
);

CREATE TABLE biobank.box (
    box_id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    freezer_code  text     NOT NULL REFERENCES biobank.freezer,
    shelf         smallint NOT NULL,
    side          smallint NOT NULL CHECK (side IN (9, 10))
);

CREATE TABLE biobank.sample (
    sample_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    barcode       text        NOT NULL UNIQUE,
    box_id        integer     NOT NULL REFERENCES biobank.box,
    position      smallint    NOT NULL CHECK (position BETWEEN 1 AND 100),
    stored_at     timestamptz NOT NULL DEFAULT now(),
    discarded_at  timestamptz
);

CREATE UNIQUE INDEX sample_position_taken
    ON biobank.sample (box_id, position, discarded_at)
    WHERE discarded_at IS NULL;

CREATE VIEW biobank.free_positions AS
SELECT b.box_id, g.position
  FROM biobank.box b
 CROSS JOIN LATERAL generate_series(1, b.side * b.side) AS g(position)
 WHERE NOT EXISTS (
       SELECT FROM biobank.sample s
        WHERE s.box_id = b.box_id AND s.position = g.position AND s.discarded_at IS NULL);
