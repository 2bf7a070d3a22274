DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM coupons) THEN
        RAISE EXCEPTION 'coupons has rows; move them first';
    END IF;
END $$;
DROP TABLE coupons;
