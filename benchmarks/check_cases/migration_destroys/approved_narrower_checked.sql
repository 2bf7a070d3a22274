DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM products WHERE char_length(code) > 8) THEN
        RAISE EXCEPTION 'a code is too long';
    END IF;
END $$;
ALTER TABLE products ALTER COLUMN code TYPE varchar(8) USING code::varchar(8);
