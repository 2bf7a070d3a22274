CREATE SCHEMA people;

CREATE TABLE people.employee (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_name    text NOT NULL,
    team         text NOT NULL,
    extension    text,
    salary_cents bigint NOT NULL
);

CREATE FUNCTION people.phone_list(p_team text, p_order text DEFAULT 'name')
RETURNS TABLE (full_name text, team text, extension text)
LANGUAGE plpgsql STABLE
SECURITY DEFINER
SET search_path = people, pg_temp
AS $$
DECLARE
    v_order text;
    v_query text := 'SELECT full_name, team, extension FROM people.employee';
BEGIN
    v_order := CASE p_order WHEN 'team' THEN 'team, full_name' ELSE 'full_name' END;
    v_query := v_query || ' WHERE team = ''' || p_team || '''';
    RETURN QUERY EXECUTE v_query || ' ORDER BY ' || v_order;
END;
$$;

REVOKE ALL ON FUNCTION people.phone_list(text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA people TO app;
GRANT EXECUTE ON FUNCTION people.phone_list(text, text) TO app;
