CREATE SCHEMA market;

CREATE TABLE market.wallet (
    owner_ref       text PRIMARY KEY,
    available_cents bigint NOT NULL DEFAULT 0,
    held_cents      bigint NOT NULL DEFAULT 0,
    currency        char(3) NOT NULL DEFAULT 'EUR',
    CONSTRAINT wallet_amounts CHECK (available_cents >= 0 OR held_cents >= 0)
);

CREATE FUNCTION market.hold(p_owner text, p_cents bigint) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    UPDATE market.wallet
       SET available_cents = available_cents - p_cents,
           held_cents = held_cents + p_cents
     WHERE owner_ref = p_owner
    RETURNING held_cents;
END;

CREATE FUNCTION market.release(p_owner text, p_cents bigint) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    UPDATE market.wallet
       SET held_cents = held_cents - p_cents
     WHERE owner_ref = p_owner
    RETURNING held_cents;
END;

GRANT USAGE ON SCHEMA market TO app;
GRANT SELECT, UPDATE ON market.wallet TO app;
