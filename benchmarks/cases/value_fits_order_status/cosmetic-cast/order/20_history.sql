CREATE TABLE sales_order_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_no   varchar(20) NOT NULL REFERENCES sales_order,
    old_status varchar(24) NOT NULL,
    new_status varchar(24) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION keep_order_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sales_order_history (order_no, old_status, new_status)
    VALUES (NEW.order_no, OLD.status, NEW.status);
    RETURN NULL;
END $$;

CREATE TRIGGER keep_order_history
    AFTER UPDATE OF status ON sales_order
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION keep_order_history();
