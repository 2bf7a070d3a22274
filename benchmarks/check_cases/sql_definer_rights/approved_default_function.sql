-- EXECUTE is taken from everybody, and given to the role whose rows need it.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE ROLE api_user;
CREATE SEQUENCE invoice_numbers;
CREATE FUNCTION next_invoice_number() RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT 'INV-' || nextval('public.invoice_numbers') $$;
CREATE TABLE invoices (
    number text PRIMARY KEY DEFAULT next_invoice_number(),
    total_cents bigint NOT NULL
);
GRANT SELECT, INSERT ON invoices TO api_user;
GRANT EXECUTE ON FUNCTION next_invoice_number() TO api_user;
