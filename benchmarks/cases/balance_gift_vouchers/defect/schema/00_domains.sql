CREATE DOMAIN euro AS numeric(12, 2) NOT NULL;

CREATE DOMAIN voucher_code AS text NOT NULL
    CHECK (VALUE ~ '^[A-Z0-9-]{4,20}$');
