CREATE DOMAIN euro AS numeric(12, 2) NOT NULL CHECK (VALUE >= 0);

CREATE DOMAIN voucher_code AS text NOT NULL
    CHECK (VALUE ~ '^[A-Z0-9-]{4,20}$');
