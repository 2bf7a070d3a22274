CREATE ROLE desk NOLOGIN;
CREATE TABLE payroll (id int PRIMARY KEY, name text NOT NULL, cents bigint NOT NULL);
CREATE FUNCTION raise_pay(p_id int, p_cents bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ UPDATE public.payroll SET cents = cents + p_cents WHERE id = p_id $$;
GRANT EXECUTE ON FUNCTION raise_pay(int, bigint) TO desk;
