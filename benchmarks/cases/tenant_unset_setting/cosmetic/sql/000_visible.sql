CREATE FUNCTION practice_visible(p_practice integer) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_current text := current_setting('app.practice', true);
BEGIN
    RETURN p_practice = COALESCE(NULLIF(v_current, '')::integer, p_practice);
END;
$$;
