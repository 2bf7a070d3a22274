CREATE SCHEMA reports;
CREATE TABLE reports.visit (id bigint PRIMARY KEY, branch text NOT NULL);
GRANT USAGE ON SCHEMA reports TO desk;

CREATE FUNCTION reports.visits(p_branch text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = reports, pg_temp
AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM reports.visit WHERE branch = %L', p_branch) INTO found;
    RETURN found;
END $$;

REVOKE ALL ON FUNCTION reports.visits(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reports.visits(text) TO desk;
