CREATE FUNCTION lab.release_result(p_result bigint, p_by text) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = lab, pg_temp
AS $$
BEGIN
    UPDATE lab.result
       SET released_at = now(), released_by = p_by
     WHERE result_id = p_result
       AND released_at IS NULL
       AND NOT on_hold;
    RETURN FOUND;
END;
$$;

COMMENT ON FUNCTION lab.release_result(bigint, text) IS 'Called by the laboratory system only.';

REVOKE ALL ON FUNCTION lab.release_result(bigint, text) FROM portal;
GRANT EXECUTE ON FUNCTION lab.release_result(bigint, text) TO app;

GRANT USAGE ON SCHEMA lab TO app, portal;
GRANT SELECT ON lab.result TO app;
GRANT SELECT ON lab.released_result TO app, portal;
