CREATE TABLE account (id bigint PRIMARY KEY, owner text NOT NULL);
CREATE TABLE posting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bigint NOT NULL REFERENCES account,
    cents bigint NOT NULL
);
CREATE FUNCTION covered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s bigint;
BEGIN

    SELECT coalesce(sum(cents), 0) INTO s FROM posting WHERE account = NEW.account;
    IF s + NEW.cents < 0 THEN RAISE EXCEPTION 'not covered'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER covered BEFORE INSERT ON posting FOR EACH ROW EXECUTE FUNCTION covered();
