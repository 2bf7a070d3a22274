-- Two decimals are shown, so two decimals are kept.
ALTER TABLE payment_match ALTER COLUMN confidence TYPE numeric(4, 2);
