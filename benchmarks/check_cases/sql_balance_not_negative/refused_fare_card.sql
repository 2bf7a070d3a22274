CREATE TABLE fare_card (
    card_no text PRIMARY KEY,
    cents integer NOT NULL DEFAULT 0
);
CREATE FUNCTION tap_out(p_card text, p_fare integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT cents FROM fare_card WHERE card_no = p_card) < p_fare THEN
        RETURN false;
    END IF;
    UPDATE fare_card SET cents = cents - p_fare WHERE card_no = p_card;
    RETURN true;
END $$;
