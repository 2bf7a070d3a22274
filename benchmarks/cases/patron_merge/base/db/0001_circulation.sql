CREATE TABLE patron (
    patron_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_name     text        NOT NULL,
    email         text        NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE loan (
    loan_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patron_id     bigint NOT NULL REFERENCES patron ON DELETE CASCADE,
    copy_barcode  text   NOT NULL,
    due_on        date   NOT NULL,
    returned_at   timestamptz
);

CREATE TABLE hold (
    hold_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patron_id     bigint NOT NULL REFERENCES patron ON DELETE CASCADE,
    isbn          text   NOT NULL,
    placed_at     timestamptz NOT NULL DEFAULT now()
);
