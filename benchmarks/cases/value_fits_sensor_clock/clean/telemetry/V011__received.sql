CREATE FUNCTION note_reception() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_seconds double precision := extract(epoch FROM clock_timestamp());
BEGIN
    NEW.received := round(now_seconds * 1000);
    RETURN NEW;
END;
$$;

CREATE TRIGGER note_reception BEFORE INSERT ON reading
    FOR EACH ROW EXECUTE FUNCTION note_reception();
