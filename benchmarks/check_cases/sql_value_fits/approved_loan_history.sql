CREATE TABLE loan (
    loan_no  varchar(20) PRIMARY KEY,
    state    varchar(24) NOT NULL DEFAULT 'open',
    CONSTRAINT loan_state CHECK (state IN ('open', 'overdue', 'returned', 'lost_and_replaced'))
);

CREATE TABLE loan_history (
    loan_no   varchar(20) NOT NULL REFERENCES loan,
    state     varchar(17) NOT NULL,
    noted_at  timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION note_loan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loan_history (loan_no, state) VALUES (NEW.loan_no, NEW.state);
    RETURN NULL;
END $$;

CREATE TRIGGER note_loan AFTER UPDATE OF state ON loan FOR EACH ROW EXECUTE FUNCTION note_loan();
