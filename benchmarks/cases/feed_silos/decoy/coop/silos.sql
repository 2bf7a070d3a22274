CREATE TABLE silo (
    code         text PRIMARY KEY,
    capacity_kg  integer NOT NULL CHECK (capacity_kg > 0),
    on_hand_kg   integer NOT NULL DEFAULT 0
);

CREATE TABLE withdrawal (
    withdrawal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    silo_code     text        NOT NULL REFERENCES silo,
    member_no     integer     NOT NULL,
    kg            integer     NOT NULL CHECK (kg > 0),
    taken_at      timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION book_withdrawal() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE silo SET on_hand_kg = on_hand_kg + OLD.kg WHERE code = OLD.silo_code;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        UPDATE silo SET on_hand_kg = on_hand_kg - NEW.kg WHERE code = NEW.silo_code;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER withdrawal_books
    AFTER INSERT OR UPDATE OR DELETE ON withdrawal
    FOR EACH ROW EXECUTE FUNCTION book_withdrawal();

CREATE FUNCTION refuse_overdraw() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.on_hand_kg < 0 THEN
        RAISE EXCEPTION 'silo % would hold % kg', NEW.code, NEW.on_hand_kg USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER silo_covered
    BEFORE INSERT OR UPDATE ON silo
    FOR EACH ROW EXECUTE FUNCTION refuse_overdraw();

GRANT SELECT, INSERT, UPDATE, DELETE ON withdrawal TO app;
GRANT SELECT, UPDATE ON silo TO app;
