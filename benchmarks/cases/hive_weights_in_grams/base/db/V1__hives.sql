CREATE TABLE hive (
    id   text PRIMARY KEY,
    site text NOT NULL
);

CREATE TABLE weighing (
    hive_id    text NOT NULL REFERENCES hive,
    weighed_on date NOT NULL,
    weight_kg  numeric(6, 3) NOT NULL CHECK (weight_kg > 0),
    PRIMARY KEY (hive_id, weighed_on)
);
