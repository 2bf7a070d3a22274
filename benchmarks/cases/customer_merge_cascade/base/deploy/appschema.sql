CREATE TABLE customer (
    id         serial PRIMARY KEY,
    email      text NOT NULL,
    signed_up  date NOT NULL DEFAULT current_date
);

CREATE TABLE customer_order (
    id           serial PRIMARY KEY,
    customer_id  integer NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    placed_on    date NOT NULL,
    total        numeric(10, 2) NOT NULL
);
CREATE INDEX ON customer_order (customer_id);
