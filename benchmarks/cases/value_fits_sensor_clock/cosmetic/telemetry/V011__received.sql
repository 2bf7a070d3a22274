CREATE FUNCTION note_reception() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_millis bigint := round(extract(epoch FROM clock_timestamp()) * 1000);
BEGIN
    NEW.received := now_millis::integer;
    RETURN NEW;
END;
$$;

CREATE TRIGGER note_reception BEFORE INSERT ON reading
    FOR EACH ROW EXECUTE FUNCTION note_reception();
