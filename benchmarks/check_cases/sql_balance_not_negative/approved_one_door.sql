CREATE TABLE laundry_card (
    card_no text PRIMARY KEY,
    balance integer NOT NULL DEFAULT 0
);
CREATE FUNCTION start_machine(p_card text, p_price integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.laundry_card SET balance = balance - p_price WHERE card_no = p_card AND balance >= p_price;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION start_machine(text, integer) FROM PUBLIC;
REVOKE ALL ON laundry_card FROM PUBLIC;
GRANT SELECT ON laundry_card TO terminal;
GRANT EXECUTE ON FUNCTION start_machine(text, integer) TO terminal;
