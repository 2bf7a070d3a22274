CREATE DOMAIN euro AS numeric(12, 2) NOT NULL
    CONSTRAINT euro_is_an_amount CHECK (VALUE = round(VALUE, 2) AND VALUE <> 'NaN');

CREATE DOMAIN voucher_code AS text NOT NULL
    CHECK (VALUE ~ '^[A-Z0-9-]{4,20}$');
