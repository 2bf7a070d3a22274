CREATE FUNCTION bump_usage(p_account bigint, p_feature text, p_api_key uuid, p_calls integer)
RETURNS bigint
LANGUAGE sql
AS $fn$
    INSERT INTO usage_by_day AS u (account_id, feature, api_key_id, day, calls)
    VALUES (p_account, p_feature, p_api_key, current_date, p_calls)
    ON CONFLICT (account_id, feature, api_key_id, day)
    DO UPDATE SET calls = u.calls + EXCLUDED.calls
            WHERE u.api_key_id IS NOT DISTINCT FROM EXCLUDED.api_key_id
    RETURNING calls;
$fn$;

CREATE FUNCTION usage_of(p_account bigint, p_feature text, p_day date DEFAULT current_date)
RETURNS bigint
LANGUAGE sql STABLE
AS $fn$
    SELECT COALESCE(max(calls), 0)
      FROM usage_by_day
     WHERE account_id = p_account AND feature = p_feature AND day = p_day;
$fn$;
