ALTER DOMAIN euro ADD CONSTRAINT euro_sign CHECK (sign(VALUE) <> -1);
