CREATE TABLE contacts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    association_id int NOT NULL,
    name text NOT NULL,
    town text NOT NULL
);
CREATE FUNCTION find_contacts(p_association int, p_name text, p_town text DEFAULT NULL) RETURNS SETOF contacts
LANGUAGE plpgsql STABLE AS $$
DECLARE
    q text := 'SELECT * FROM contacts WHERE name ILIKE $2';
BEGIN
    IF p_town IS NOT NULL THEN
        q := q || ' AND town = $3';
    END IF;
    RETURN QUERY EXECUTE q || ' ORDER BY name' USING p_association, p_name || '%', p_town;
END $$;
