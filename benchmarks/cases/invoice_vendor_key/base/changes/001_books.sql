CREATE TABLE vendors (
    vendor_id integer PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE invoices (
    invoice_id bigint PRIMARY KEY,
    vendor_id integer NOT NULL,
    issued_on date NOT NULL
);
