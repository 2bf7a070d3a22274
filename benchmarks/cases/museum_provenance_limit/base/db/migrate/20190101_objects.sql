CREATE TABLE museum_objects (
    inventory_no text PRIMARY KEY,
    title text NOT NULL,
    provenance text NOT NULL DEFAULT '',
    acquired_on date
);

CREATE INDEX museum_objects_acquired ON museum_objects (acquired_on);
