CREATE TYPE money_amount AS (amount real, currency char(3));
CREATE TABLE gifts (id bigint PRIMARY KEY, worth money_amount);
