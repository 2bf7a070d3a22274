CREATE TABLE fees (id bigint PRIMARY KEY, fee numeric(10, 2) NOT NULL);
UPDATE fees SET fee = round(fee * 1.019, 2);
