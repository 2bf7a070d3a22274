CREATE TABLE jobs (id bigint PRIMARY KEY, queue text NOT NULL, payload jsonb NOT NULL);
CREATE FUNCTION take(p_queue text, p_sort text) RETURNS SETOF jobs
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    q text := 'SELECT * FROM jobs WHERE queue = $1';
    o text;
BEGIN
    o := CASE lower(p_sort) WHEN 'id' THEN 'id' WHEN 'queue' THEN 'queue, id' ELSE 'id DESC' END;
    q := q || ' ORDER BY ' || o;
    RETURN QUERY EXECUTE q || ' LIMIT 10' USING p_queue;
END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON FUNCTION take(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take(text, text) TO worker;
