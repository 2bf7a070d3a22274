CREATE TABLE scan_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_code  text NOT NULL,
    gate       text NOT NULL,
    scanned_at timestamptz NOT NULL
);
