CREATE SCHEMA club;
CREATE TABLE club.fees (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member text NOT NULL, cents bigint NOT NULL);
CREATE FUNCTION club.fees_by(p_column text, p_value text) RETURNS SETOF club.fees
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = club, pg_temp AS $fn$
DECLARE
    v_sql text;
BEGIN
    IF p_column NOT IN ('member', 'cents') THEN
        RAISE EXCEPTION 'column?';
    END IF;
    v_sql := 'SELECT * FROM club.fees WHERE ' || p_column || '::text = $1';
    RETURN QUERY EXECUTE v_sql USING p_value;
END $fn$;
REVOKE ALL ON FUNCTION club.fees_by(text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA club TO desk;
GRANT EXECUTE ON FUNCTION club.fees_by(text, text) TO desk;
