CREATE TABLE catalog.product_price (
    id                bigint GENERATED ALWAYS AS IDENTITY,
    product_id        bigint  NOT NULL REFERENCES catalog.product (id),
    customer_group_id integer NOT NULL REFERENCES catalog.customer_group (id),
    valid_from        date    NOT NULL,
    net_cents         bigint  NOT NULL CHECK (net_cents >= 0)
);

ALTER TABLE catalog.product_price
    ADD CONSTRAINT product_price_pk PRIMARY KEY (id),
    ADD CONSTRAINT product_price_key UNIQUE (product_id, customer_group_id, valid_from);
