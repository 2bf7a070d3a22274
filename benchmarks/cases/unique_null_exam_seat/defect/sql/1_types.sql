CREATE DOMAIN hall_code AS varchar(8) NOT NULL
    CONSTRAINT hall_code_form CHECK (VALUE ~ '^[A-Z0-9]{2,8}$');

CREATE DOMAIN wing_code AS varchar(8)
    CONSTRAINT wing_code_form CHECK (VALUE ~ '^[A-Z-]{1,8}$');

CREATE DOMAIN seat_row AS char(1) NOT NULL
    CONSTRAINT seat_row_form CHECK (VALUE BETWEEN 'A' AND 'Z');
