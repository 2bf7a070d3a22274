CREATE TABLE bills (id bigint PRIMARY KEY, net numeric(10,2), gross numeric(10,2));
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE vat constant real := 0.19;
BEGIN
  NEW.gross := NEW.net * (1 + vat);
  RETURN NEW;
END $$;
CREATE TRIGGER fill BEFORE INSERT ON bills FOR EACH ROW EXECUTE FUNCTION fill();
