CREATE SCHEMA identity;
SET search_path = identity, public;

CREATE TABLE account (
    email         text PRIMARY KEY,
    password_hash text NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE reset_token (
    digest     bytea PRIMARY KEY,
    email      text NOT NULL REFERENCES account ON DELETE CASCADE,
    expires_at timestamptz NOT NULL DEFAULT now() + interval '30 minutes'
);

-- only digests are kept
CREATE FUNCTION token_digest(token text) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT
    RETURN sha256(convert_to(token, 'UTF8'));

CREATE FUNCTION reset_password(p_token text, p_hash text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    v_email text;
BEGIN
    DELETE FROM identity.reset_token t
     WHERE t.digest = token_digest(p_token) AND t.expires_at > now()
    RETURNING t.email INTO v_email;
    UPDATE identity.account a SET password_hash = p_hash, changed_at = now() WHERE a.email = v_email;
    RETURN v_email IS NOT NULL;
END;
$$;

REVOKE ALL ON FUNCTION reset_password(text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA identity TO app;
GRANT EXECUTE ON FUNCTION reset_password(text, text) TO app;
