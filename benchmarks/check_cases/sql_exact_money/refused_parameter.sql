CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(14, 2) NOT NULL CHECK (balance >= 0));
CREATE FUNCTION deposit(p_account bigint, p_amount double precision) RETURNS void LANGUAGE sql AS $$
    UPDATE accounts SET balance = balance + p_amount WHERE id = p_account
$$;
