CREATE TABLE campaign_account (
    campaign_id     bigint PRIMARY KEY,
    raised_cents    bigint NOT NULL DEFAULT 0,
    paid_out_cents  bigint NOT NULL DEFAULT 0,
    available_cents bigint GENERATED ALWAYS AS (raised_cents - paid_out_cents) STORED,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT amounts_sane CHECK (paid_out_cents BETWEEN 0 AND raised_cents)
);

CREATE TABLE payout (
    payout_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id  bigint NOT NULL REFERENCES campaign_account,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    ordered_at   timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION pay_out(p_campaign bigint, p_cents bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_payout bigint;
BEGIN
    UPDATE campaign_account
       SET paid_out_cents = paid_out_cents + p_cents,
           updated_at = now()
     WHERE campaign_id = p_campaign;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no campaign %', p_campaign;
    END IF;
    INSERT INTO payout (campaign_id, amount_cents)
    VALUES (p_campaign, p_cents)
    RETURNING payout_id INTO v_payout;
    RETURN v_payout;
END;
$$;

GRANT SELECT, INSERT, UPDATE ON campaign_account, payout TO app;
