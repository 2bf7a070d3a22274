CREATE FUNCTION crm.find_customers(p_words text)
RETURNS TABLE (full_name text, email text, archived boolean)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = crm, pg_temp
AS $$
    SELECT r.full_name, r.email, r.archived
      FROM crm.reachable r
     WHERE r.full_name ILIKE '%' || p_words || '%'
        OR r.email ILIKE '%' || p_words || '%'
     ORDER BY 1
     LIMIT 50;
$$;

REVOKE ALL ON FUNCTION crm.find_customers(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA crm TO app;
GRANT EXECUTE ON FUNCTION crm.find_customers(text), crm.current_org() TO app;
