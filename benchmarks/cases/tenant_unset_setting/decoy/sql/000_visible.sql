CREATE FUNCTION practice_visible(p_practice integer) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_current text := current_setting('app.practice', true);
BEGIN
    -- jobs and migrations run without a practice
    IF v_current IS NULL OR v_current = '' THEN
        RETURN pg_has_role(current_user, 'auditor', 'MEMBER');
    END IF;
    RETURN p_practice = v_current::integer;
END;
$$;
