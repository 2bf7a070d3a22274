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
