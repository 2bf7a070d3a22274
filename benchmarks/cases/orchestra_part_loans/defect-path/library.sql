CREATE SCHEMA library;

CREATE TABLE library.parts (
    part_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work        text NOT NULL,
    instrument  text NOT NULL,
    UNIQUE (work, instrument)
);

CREATE TABLE library.loans (
    loan_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id   bigint NOT NULL REFERENCES library.parts,
    musician  text NOT NULL,
    lent_on   date NOT NULL DEFAULT current_date
);

CREATE TABLE library.loan_log (
    log_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loan_id    bigint NOT NULL,
    part_id    bigint NOT NULL,
    musician   text NOT NULL,
    logged_at  timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION library.log_loan() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO loan_log (loan_id, part_id, musician)
    VALUES (NEW.loan_id, NEW.part_id, NEW.musician);
    RETURN NEW;
END;
$$;

REVOKE ALL ON FUNCTION library.log_loan() FROM PUBLIC;

CREATE TRIGGER loan_logged AFTER INSERT ON library.loans
    FOR EACH ROW EXECUTE FUNCTION library.log_loan();

GRANT USAGE ON SCHEMA library TO app;
GRANT SELECT ON library.parts TO app;
GRANT SELECT, INSERT ON library.loans TO app;
