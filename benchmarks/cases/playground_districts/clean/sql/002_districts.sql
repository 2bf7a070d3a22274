ALTER TABLE playground RENAME COLUMN ward TO district;

CREATE OR REPLACE FUNCTION playgrounds_near(p_place text)
RETURNS TABLE (name text, opened_on date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.name, p.opened_on FROM playground p WHERE p.district = p_place ORDER BY p.name;
END;
$$;

CREATE OR REPLACE FUNCTION due_inspections(p_before date)
RETURNS TABLE (name text, district text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.name, p.district FROM playground p
     WHERE p.last_inspection IS NULL OR p.last_inspection < p_before;
END;
$$;
