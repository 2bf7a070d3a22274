CREATE SCHEMA harbour;

CREATE TABLE harbour.landing (
    landing_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vessel      text        NOT NULL,
    species     char(3)     NOT NULL,
    kg          integer     NOT NULL CHECK (kg > 0),
    landed_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE harbour.landing_log (
    log_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    landing_id  bigint      NOT NULL,
    op          text        NOT NULL,
    old_kg      integer,
    new_kg      integer,
    changed_by  text        NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION harbour.log_landing() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO harbour.landing_log (landing_id, op, old_kg, new_kg, changed_by)
    VALUES (NEW.landing_id, TG_OP, CASE TG_OP WHEN 'UPDATE' THEN OLD.kg END, NEW.kg, session_user);
    RETURN NULL;
END;
$$;

REVOKE ALL ON FUNCTION harbour.log_landing() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION harbour.log_landing() TO app;

CREATE TRIGGER landing_logged
    AFTER INSERT OR UPDATE ON harbour.landing
    FOR EACH ROW EXECUTE FUNCTION harbour.log_landing();

GRANT USAGE ON SCHEMA harbour TO app, inspector;
GRANT SELECT, INSERT, UPDATE ON harbour.landing TO app;
GRANT SELECT ON harbour.landing, harbour.landing_log TO inspector;
