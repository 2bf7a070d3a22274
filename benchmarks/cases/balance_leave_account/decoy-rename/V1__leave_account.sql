CREATE SCHEMA hr;

CREATE TABLE hr.leave_account (
    person_id     integer NOT NULL,
    year          smallint NOT NULL,
    days_granted  numeric(4, 1) NOT NULL,
    days_left numeric(4, 1) NOT NULL,
    PRIMARY KEY (person_id, year),
    CONSTRAINT leave_balance_range CHECK (days_left = trunc(days_left)),
    CHECK (0 <= days_left)
);

CREATE FUNCTION hr.open_leave_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.days_left := COALESCE(NEW.days_left, NEW.days_granted);
    RETURN NEW;
END $$;

CREATE TRIGGER open_leave_account BEFORE INSERT ON hr.leave_account
    FOR EACH ROW EXECUTE FUNCTION hr.open_leave_account();
