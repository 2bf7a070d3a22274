-- ON ALL TABLES in the first migration gave rights on the tables of that day; this one came later.
CREATE TABLE order_history (order_id bigint NOT NULL, state text NOT NULL, at timestamptz NOT NULL DEFAULT now());

CREATE FUNCTION keep_order_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_history (order_id, state) VALUES (NEW.id, NEW.state);
    RETURN NEW;
END $$;

CREATE TRIGGER keep_order_history AFTER INSERT OR UPDATE OF state ON orders
    FOR EACH ROW EXECUTE FUNCTION keep_order_history();
