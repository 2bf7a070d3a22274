CREATE TABLE hr.leave_request (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id   integer NOT NULL,
    year        smallint NOT NULL,
    first_day   date NOT NULL,
    days        numeric(4, 1) NOT NULL CHECK (days > 0),
    approved_at timestamptz,
    FOREIGN KEY (person_id, year) REFERENCES hr.leave_account
);

CREATE FUNCTION hr.approve(p_request bigint) RETURNS void LANGUAGE sql AS $$
    WITH asked AS (
        UPDATE hr.leave_request SET approved_at = now()
         WHERE id = p_request AND approved_at IS NULL
        RETURNING person_id, year, days
    )
    UPDATE hr.leave_account a
       SET leave_balance = a.leave_balance - asked.days
      FROM asked
     WHERE a.person_id = asked.person_id AND a.year = asked.year;
$$;
