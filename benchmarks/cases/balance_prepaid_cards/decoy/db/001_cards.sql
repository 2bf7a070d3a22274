CREATE SCHEMA canteen;

CREATE TABLE canteen.card (
    card_no       text PRIMARY KEY,
    balance_cents integer NOT NULL DEFAULT 0,
    blocked       boolean NOT NULL DEFAULT false,
    issued_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE canteen.booking (
    booking_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    card_no      text NOT NULL REFERENCES canteen.card,
    amount_cents integer NOT NULL,      -- what was paid; a refund is below zero
    terminal     text NOT NULL,
    booked_at    timestamptz NOT NULL DEFAULT now()
);
