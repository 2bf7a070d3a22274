ALTER TABLE coupons RENAME TO coupons_until_2024;
