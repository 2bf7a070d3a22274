CREATE FUNCTION ops.give_role(p_login text, p_role text)
RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path TO ''
AS $$
    UPDATE ops.staff SET staff_role = p_role WHERE login = p_login;
    INSERT INTO ops.role_change (login, new_role) VALUES (p_login, p_role);
$$;

COMMENT ON FUNCTION ops.give_role(text, text) IS 'For the support desk.';
REVOKE EXECUTE ON FUNCTION ops.give_role(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.give_role(text, text) TO auditor;
