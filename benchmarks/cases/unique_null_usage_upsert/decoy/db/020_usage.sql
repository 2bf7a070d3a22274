CREATE TABLE usage_by_day (
    account_id bigint NOT NULL REFERENCES account (account_id),
    feature    text   NOT NULL,
    api_key_id uuid,
    day        date   NOT NULL DEFAULT current_date,
    calls      bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_by_day_uq UNIQUE (account_id, feature, api_key_id, day)
);

CREATE FUNCTION usage_key_or_web() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    -- the web interface counts as a key of its own
    NEW.api_key_id := COALESCE(NEW.api_key_id, '00000000-0000-0000-0000-000000000000'::uuid);
    RETURN NEW;
END;
$fn$;

CREATE TRIGGER usage_key_or_web BEFORE INSERT OR UPDATE ON usage_by_day
    FOR EACH ROW EXECUTE FUNCTION usage_key_or_web();

-- BRIN is enough, rows arrive by day
CREATE INDEX usage_by_day_day_brin ON usage_by_day USING brin (day);
