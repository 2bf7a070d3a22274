CREATE TABLE performance (
    performance_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title           text        NOT NULL,
    starts_at       timestamptz NOT NULL,
    hall            text        NOT NULL
);

CREATE TABLE ticket (
    ticket_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    performance_id  integer     NOT NULL REFERENCES performance,
    section         text        NOT NULL,
    row_label       text        CHECK (row_label <> ''),
    seat_no         smallint    NOT NULL CHECK (seat_no > 0),
    price_cents     integer     NOT NULL CHECK (price_cents >= 0),
    sold_to         text        NOT NULL,
    sold_at         timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX ticket_seat_once
    ON ticket (performance_id, section, row_label, seat_no);

CREATE INDEX ticket_by_buyer ON ticket (sold_to, sold_at DESC);

CREATE VIEW evening_list AS
SELECT p.title, t.section, t.row_label, t.seat_no, t.sold_to
  FROM ticket t
  JOIN performance p USING (performance_id)
 ORDER BY t.section, t.row_label NULLS FIRST, t.seat_no;
