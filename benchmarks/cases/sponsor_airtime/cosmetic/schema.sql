CREATE TABLE airtime_account (
    sponsor        text PRIMARY KEY,
    seconds_bought integer NOT NULL CHECK (seconds_bought >= 0),
    seconds_left   integer NOT NULL DEFAULT 0, CHECK (seconds_left <= seconds_bought)
);

CREATE TABLE spot (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sponsor text NOT NULL REFERENCES airtime_account,
    airs_at timestamptz NOT NULL,
    seconds integer NOT NULL CHECK (seconds BETWEEN 5 AND 180)
);

CREATE FUNCTION take_airtime() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    wanted integer := NEW.seconds;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        wanted := NEW.seconds - OLD.seconds;
    END IF;
    UPDATE airtime_account
       SET seconds_left = seconds_left - wanted
     WHERE sponsor = NEW.sponsor;
    RETURN NEW;
END
$$;

CREATE TRIGGER spot_takes_airtime
    BEFORE INSERT OR UPDATE OF seconds ON spot
    FOR EACH ROW EXECUTE FUNCTION take_airtime();

GRANT SELECT ON airtime_account TO app;
GRANT UPDATE (seconds_left) ON airtime_account TO app;
GRANT SELECT, INSERT, UPDATE ON spot TO app;
