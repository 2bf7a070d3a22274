CREATE TABLE fees (id bigint PRIMARY KEY, fee numeric(10, 2) NOT NULL);
UPDATE fees SET fee = fee::float8 * 1.019;
