ALTER TABLE prices ADD COLUMN amount_cents bigint;
UPDATE prices SET amount_cents = round(amount * 100);
ALTER TABLE prices DROP COLUMN amount;
