CREATE TABLE payment_match (
    payment_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    confidence numeric(4, 2) NOT NULL,
    found_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payment_id, invoice_id),
    CHECK (confidence >= 0)
);

COMMENT ON COLUMN payment_match.confidence IS 'percent, two decimals; see docs/matching.md';

CREATE FUNCTION record_match(p_payment bigint, p_invoice bigint, p_ratio numeric)
RETURNS numeric
LANGUAGE sql
AS $$
    INSERT INTO payment_match AS m (payment_id, invoice_id, confidence)
    VALUES (p_payment, p_invoice, LEAST(p_ratio * 100, 99.99))
    ON CONFLICT (payment_id, invoice_id)
    DO UPDATE SET confidence = GREATEST(m.confidence, EXCLUDED.confidence), found_at = now()
    RETURNING confidence;
$$;
