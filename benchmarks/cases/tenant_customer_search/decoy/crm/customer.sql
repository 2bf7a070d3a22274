CREATE SCHEMA crm;

CREATE TABLE crm.customer (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id    integer NOT NULL,
    full_name text NOT NULL,
    email     text NOT NULL,
    UNIQUE (org_id, email)
);

CREATE TABLE crm.customer_archive (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id    integer NOT NULL,
    full_name text NOT NULL,
    email     text NOT NULL,
    archived  date NOT NULL DEFAULT current_date
);

CREATE FUNCTION crm.current_org() RETURNS integer
    LANGUAGE sql STABLE
    RETURN NULLIF(current_setting('crm.org', true), '')::integer;

CREATE VIEW crm.reachable AS
    SELECT full_name, email, false AS archived FROM crm.customer WHERE org_id = crm.current_org()
    UNION ALL
    SELECT full_name, email, true FROM crm.customer_archive WHERE crm.current_org() = org_id;
