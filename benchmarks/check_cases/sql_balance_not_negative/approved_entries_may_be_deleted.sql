CREATE TABLE member (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE credit_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member bigint NOT NULL REFERENCES member, cents bigint NOT NULL);
CREATE FUNCTION enough() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(NEW.member);
    SELECT coalesce(sum(cents), 0) INTO s FROM credit_entry WHERE member = NEW.member;
    IF s + NEW.cents < 0 THEN RAISE EXCEPTION 'not enough'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enough BEFORE INSERT ON credit_entry FOR EACH ROW EXECUTE FUNCTION enough();
CREATE FUNCTION frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'entries stay'; END $$;
CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON credit_entry FOR EACH ROW EXECUTE FUNCTION frozen();
