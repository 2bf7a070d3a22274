CREATE TABLE sitting (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    paper     text NOT NULL,
    starts_at timestamptz NOT NULL
);

CREATE TABLE seat_allocation (
    sitting_id   bigint   NOT NULL,
    candidate_no integer  NOT NULL,
    hall         hall_code,
    wing         wing_code DEFAULT NULLIF('-', '-'),
    seat_row     seat_row,
    seat_no      smallint NOT NULL CHECK (seat_no > 0),
    extra_time   boolean  NOT NULL DEFAULT false
);
