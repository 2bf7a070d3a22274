CREATE SCHEMA shop;
SET search_path TO shop, public;

CREATE TABLE wallet (
    customer_id bigint PRIMARY KEY,
    cents       bigint NOT NULL DEFAULT 0 CHECK (cents >= 0)
);

CREATE TABLE coupon (
    code        text PRIMARY KEY,
    cents       bigint NOT NULL CHECK (cents > 0),
    redeemed_by bigint REFERENCES wallet
);

CREATE FUNCTION redeem(p_code text, p_customer bigint) RETURNS bigint
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path FROM CURRENT
AS $$
    WITH used AS (
        UPDATE coupon SET redeemed_by = p_customer
         WHERE code = p_code AND redeemed_by IS NULL
        RETURNING cents
    )
    UPDATE wallet
       SET cents = wallet.cents + used.cents
      FROM used
     WHERE customer_id = p_customer
    RETURNING wallet.cents;
$$;

GRANT USAGE ON SCHEMA shop TO app;
REVOKE ALL ON FUNCTION redeem FROM PUBLIC;
GRANT EXECUTE ON FUNCTION redeem TO app;
