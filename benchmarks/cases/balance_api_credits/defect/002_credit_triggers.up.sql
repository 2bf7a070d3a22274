CREATE FUNCTION credit_account_guard() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF OLD.credits < 0 THEN
        RAISE EXCEPTION 'no credits left for customer %', OLD.customer_id
              USING ERRCODE = 'P0402';
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END
$body$;

CREATE TRIGGER credit_account_guard
    BEFORE UPDATE ON credit_account
    FOR EACH ROW EXECUTE FUNCTION credit_account_guard();

CREATE FUNCTION credit_use_books() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    UPDATE credit_account
       SET credits = credits - NEW.credits
     WHERE customer_id = NEW.customer_id;
    RETURN NULL;   -- the row is in already
END
$body$;

CREATE TRIGGER credit_use_books
    AFTER INSERT ON credit_use
    FOR EACH ROW EXECUTE FUNCTION credit_use_books();
