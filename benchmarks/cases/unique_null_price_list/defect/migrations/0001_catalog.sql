CREATE SCHEMA catalog;

CREATE TABLE catalog.product (
    id    bigint PRIMARY KEY,
    sku   text NOT NULL UNIQUE
);

CREATE TABLE catalog.customer_group (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label text NOT NULL UNIQUE
);
