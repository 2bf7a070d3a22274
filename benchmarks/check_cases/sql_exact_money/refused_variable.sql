CREATE TABLE payouts (id bigint PRIMARY KEY, amount numeric(12, 2) NOT NULL, paid boolean NOT NULL);
CREATE FUNCTION owed() RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    total double precision := 0;
    line record;
BEGIN
    FOR line IN SELECT amount FROM payouts WHERE NOT paid LOOP
        total := total + line.amount;
    END LOOP;
    RETURN round(total::numeric, 2);
END $$;
