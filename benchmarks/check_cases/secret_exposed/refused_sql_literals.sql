CREATE ROLE importer LOGIN;
DO $$
BEGIN
    EXECUTE format('ALTER ROLE importer PASSWORD %L',
        convert_from(decode('Wm04cXYyTHQtN1J3OXhLcEQz', 'base64'), 'UTF8'));
END
$$;
