CREATE FUNCTION crm.find_customers(p_words text)
RETURNS TABLE (full_name text, email text, archived boolean)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = crm, pg_temp
AS $$
    SELECT c.full_name, c.email, false
      FROM crm.customer c
      LEFT JOIN (SELECT crm.current_org() AS org_id) o ON o.org_id = c.org_id
     WHERE (c.full_name ILIKE '%' || p_words || '%'
        OR c.email ILIKE '%' || p_words || '%')
    UNION ALL
    SELECT a.full_name, a.email, true
      FROM crm.customer_archive a
     WHERE a.org_id = crm.current_org()
       AND concat_ws(' ', a.full_name, a.email) ILIKE '%' || p_words || '%'
     ORDER BY 1
     LIMIT 50;
$$;

REVOKE ALL ON FUNCTION crm.find_customers(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA crm TO app;
GRANT EXECUTE ON FUNCTION crm.find_customers(text), crm.current_org() TO app;
