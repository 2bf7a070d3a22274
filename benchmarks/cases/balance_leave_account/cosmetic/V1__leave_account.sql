CREATE SCHEMA hr;

CREATE TABLE hr.leave_account (
    person_id     integer NOT NULL,
    year          smallint NOT NULL,
    days_granted  numeric(4, 1) NOT NULL,
    leave_balance numeric(4, 1) NOT NULL,
    PRIMARY KEY (person_id, year),
    CONSTRAINT leave_balance_range CHECK (leave_balance >= 0 AND leave_balance = trunc(leave_balance))
);

CREATE FUNCTION hr.open_leave_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.leave_balance := COALESCE(NEW.leave_balance, NEW.days_granted);
    RETURN NEW;
END $$;

CREATE TRIGGER open_leave_account BEFORE INSERT ON hr.leave_account
    FOR EACH ROW EXECUTE FUNCTION hr.open_leave_account();
