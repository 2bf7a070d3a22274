-- A password check in another schema, as the documentation of old servers showed it.
CREATE SCHEMA private;
CREATE TABLE private.accounts (name text PRIMARY KEY, digest bytea NOT NULL);

CREATE OR REPLACE FUNCTION public.check_password(account text, given text) RETURNS boolean
AS $body$
DECLARE
    matches boolean;
BEGIN
    SELECT sha256(convert_to(given, 'UTF8')) = digest INTO matches FROM private.accounts WHERE name = account;
    RETURN coalesce(matches, false);
END
$body$ LANGUAGE plpgsql STABLE SECURITY DEFINER;

REVOKE ALL ON FUNCTION public.check_password(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.check_password(text, text) TO web;
