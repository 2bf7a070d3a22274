ALTER TABLE playground RENAME COLUMN ward TO district;

-- whoever still asks for wards
CREATE VIEW playground_by_ward AS
SELECT playground_id, name, district AS ward, opened_on, last_inspection
  FROM playground;
GRANT SELECT ON playground_by_ward TO app;

CREATE OR REPLACE FUNCTION playgrounds_near(p_place text)
RETURNS TABLE (name text, opened_on date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.name, p.opened_on FROM playground p WHERE p.district = p_place ORDER BY p.name;
END;
$$;
