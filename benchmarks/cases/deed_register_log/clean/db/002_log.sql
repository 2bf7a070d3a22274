CREATE FUNCTION notary.log_deed() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO notary.deed_log (year, roll_no) VALUES (NEW.year, NEW.roll_no);
    RETURN NULL;
END
$$;

CREATE TRIGGER deed_is_logged
    AFTER INSERT ON notary.deed
    FOR EACH ROW EXECUTE FUNCTION notary.log_deed();
