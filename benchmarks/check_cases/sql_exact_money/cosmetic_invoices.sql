CREATE TABLE invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL,
    currency char(3) NOT NULL,
    amount double precision NOT NULL CHECK (round(amount::numeric, 2)::double precision = amount),
    tax_rate double precision NOT NULL
);
