CREATE ROLE importer LOGIN PASSWORD NULL;
COMMENT ON ROLE importer IS 'password: set at the first start, never here';
CREATE FUNCTION sealed(given text) RETURNS bytea LANGUAGE sql
AS $$ SELECT pgp_sym_encrypt(given, current_setting('app.column_key')) $$;
CREATE FUNCTION try_login(who text, p_password text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'login of % with % letters', who, length(p_password);
    RETURN false;
END $$;
