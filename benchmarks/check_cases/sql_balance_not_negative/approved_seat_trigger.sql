CREATE TABLE seat_stock (
    show_no  integer PRIMARY KEY,
    on_hand  integer NOT NULL
);

CREATE FUNCTION keep_seats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.on_hand < 0 THEN
        RAISE EXCEPTION 'no seats left for %', NEW.show_no;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_seats BEFORE INSERT OR UPDATE ON seat_stock FOR EACH ROW EXECUTE FUNCTION keep_seats();
