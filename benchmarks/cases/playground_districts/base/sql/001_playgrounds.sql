CREATE TABLE playground (
    playground_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL,
    ward            text NOT NULL,
    opened_on       date NOT NULL,
    last_inspection date
);

CREATE FUNCTION playgrounds_near(p_place text)
RETURNS TABLE (name text, opened_on date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.name, p.opened_on FROM playground p WHERE p.ward = p_place ORDER BY p.name;
END;
$$;

CREATE FUNCTION due_inspections(p_before date)
RETURNS TABLE (name text, district text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.name, p.ward FROM playground p
     WHERE p.last_inspection IS NULL OR p.last_inspection < p_before;
END;
$$;

GRANT SELECT ON playground TO app;
