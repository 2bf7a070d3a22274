CREATE TYPE money_amount AS (amount numeric(12, 2), currency char(3));
CREATE TABLE gifts (id bigint PRIMARY KEY, worth money_amount);
