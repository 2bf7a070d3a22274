CREATE FUNCTION club.top_up(account bigint, cents bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cents <= 0 THEN
        RAISE EXCEPTION 'a top-up is more than nothing';
    END IF;
    INSERT INTO club.entries (account_id, amount_cents) VALUES (account, cents);
END;
$$;

CREATE FUNCTION club.pay_trip(account bigint, cents bigint, trip_no text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    credit bigint;
BEGIN
    IF cents <= 0 THEN
        RAISE EXCEPTION 'a trip costs more than nothing';
    END IF;
    PERFORM 1 FROM club.accounts WHERE account_id = account FOR SHARE;
    SELECT coalesce(sum(amount_cents), 0) INTO credit FROM club.entries WHERE account_id = account;
    IF credit < cents THEN
        RAISE EXCEPTION 'credit of account % does not cover %', account, cents;
    END IF;
    INSERT INTO club.entries (account_id, amount_cents, trip) VALUES (account, -cents, trip_no);
END;
$$;

REVOKE ALL ON FUNCTION club.top_up(bigint, bigint), club.pay_trip(bigint, bigint, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA club TO app;
GRANT EXECUTE ON FUNCTION club.top_up(bigint, bigint), club.pay_trip(bigint, bigint, text) TO app;
