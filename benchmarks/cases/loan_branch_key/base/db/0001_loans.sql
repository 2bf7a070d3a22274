CREATE TABLE branch (
    branch_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE
);

CREATE TABLE loan (
    loan_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    copy_barcode  text    NOT NULL,
    patron_no     bigint  NOT NULL,
    branch_id     integer NOT NULL,
    lent_at       timestamptz NOT NULL DEFAULT now(),
    due_on        date    NOT NULL,
    returned_at   timestamptz
);
