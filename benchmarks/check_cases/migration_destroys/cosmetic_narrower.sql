ALTER TABLE products ALTER COLUMN code TYPE varchar(8) USING code::varchar(8);
