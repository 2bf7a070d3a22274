CREATE SCHEMA catalogue;

CREATE TABLE catalogue.library (
    library_id   integer PRIMARY KEY,
    name         text NOT NULL
);

CREATE TABLE catalogue.title (
    title_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    library_id   integer NOT NULL REFERENCES catalogue.library,
    isbn         text    NOT NULL,
    title        text    NOT NULL,
    author       text    NOT NULL,
    acquired_on  date    NOT NULL,
    price_cents  integer NOT NULL,
    UNIQUE (library_id, isbn)
);

CREATE FUNCTION catalogue.search_titles(p_library integer, p_words text)
RETURNS TABLE (title_id bigint, title text, author text, acquired_on date)
LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.title_id, t.title, t.author, t.acquired_on
      FROM catalogue.title t
     WHERE t.library_id = p_library AND t.title ILIKE '%' || p_words || '%'
        OR t.library_id = p_library AND t.author ILIKE '%' || p_words || '%'
     ORDER BY t.title
     LIMIT 50
$$;

REVOKE ALL ON FUNCTION catalogue.search_titles(integer, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA catalogue TO app;
GRANT EXECUTE ON FUNCTION catalogue.search_titles(integer, text) TO app;
