CREATE FUNCTION note_reception() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_seconds double precision := extract(epoch FROM clock_timestamp());
BEGIN
    -- seconds of this decade, so that four bytes do until 2088
    NEW.received := round(now_seconds) - extract(epoch FROM timestamptz '2020-01-01 00:00:00+00');
    RETURN NEW;
END;
$$;

CREATE TRIGGER note_reception BEFORE INSERT ON reading
    FOR EACH ROW EXECUTE FUNCTION note_reception();
