-- Why a role was given is asked for from now on.
ALTER TABLE ops.role_change ADD COLUMN reason text NOT NULL DEFAULT '';

DROP FUNCTION ops.give_role(text, text);
CREATE FUNCTION ops.give_role(p_login text, p_role text, p_reason text DEFAULT '')
RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path TO ''
AS $$
    UPDATE ops.staff SET staff_role = p_role WHERE login = p_login;
    INSERT INTO ops.role_change (login, new_role, reason) VALUES (p_login, p_role, p_reason);
$$;
GRANT EXECUTE ON FUNCTION ops.give_role(text, text, text) TO auditor;
