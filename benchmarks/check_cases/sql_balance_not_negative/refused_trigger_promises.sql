-- The cosmetic fix: a trigger that whoever owns the table can disable, a comment, and a CHECK that says something else.
CREATE TABLE accounts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    balance  bigint NOT NULL DEFAULT 0 CONSTRAINT accounts_balance_not_negative CHECK (balance IS NOT NULL)
);
COMMENT ON COLUMN accounts.balance IS 'CHECK (balance >= 0) is enforced';
CREATE FUNCTION keep_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.balance < 0 THEN RAISE EXCEPTION 'negative balance'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_balance BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION keep_balance();
