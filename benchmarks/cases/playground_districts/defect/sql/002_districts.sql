ALTER TABLE playground RENAME COLUMN ward TO district;

CREATE OR REPLACE FUNCTION playgrounds_near(p_place text)
RETURNS TABLE (name text, opened_on date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.name, p.opened_on FROM playground p WHERE p.district = p_place ORDER BY p.name;
END;
$$;
