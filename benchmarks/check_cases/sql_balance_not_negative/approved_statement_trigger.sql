CREATE TABLE pupil_purse (
    pupil_no bigint PRIMARY KEY,
    balance  integer NOT NULL DEFAULT 0
);
CREATE FUNCTION purse_covered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM changed c WHERE c.balance < 0) THEN
        RAISE EXCEPTION 'a purse would be overdrawn';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER purse_added AFTER INSERT ON pupil_purse REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION purse_covered();
CREATE TRIGGER purse_changed AFTER UPDATE ON pupil_purse REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION purse_covered();
