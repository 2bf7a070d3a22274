CREATE TABLE plan (
    code          varchar(10) PRIMARY KEY,
    label         text NOT NULL,
    monthly_cents integer NOT NULL CHECK (monthly_cents >= 0),
    included_gb   smallint NOT NULL CHECK (included_gb > 0)
);

CREATE TABLE subscription (
    customer_id bigint PRIMARY KEY,
    plan_code   varchar(10) NOT NULL REFERENCES plan,
    since       date NOT NULL DEFAULT current_date
);
