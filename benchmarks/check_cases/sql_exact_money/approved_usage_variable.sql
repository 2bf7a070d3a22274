CREATE TABLE budgets (id bigint PRIMARY KEY, planned numeric(12,2), spent numeric(12,2));
CREATE FUNCTION used(p bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_used double precision;
BEGIN
    SELECT spent::float8 / planned INTO v_used FROM budgets WHERE id = p;
    RETURN CASE WHEN v_used > 0.9 THEN 'red' ELSE 'green' END;
END $$;
