CREATE FUNCTION canteen.spend(p_card text, p_amount integer, p_terminal text)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_left integer;
BEGIN
    IF p_amount <= 0 THEN
        RAISE EXCEPTION 'amount must be above zero' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    UPDATE canteen.card
       SET balance_cents = balance_cents - p_amount
     WHERE card_no = p_card AND NOT blocked
    RETURNING balance_cents INTO STRICT v_left;

    INSERT INTO canteen.booking (card_no, amount_cents, terminal)
    VALUES (p_card, p_amount, p_terminal);
    RETURN v_left;
END;
$$;
