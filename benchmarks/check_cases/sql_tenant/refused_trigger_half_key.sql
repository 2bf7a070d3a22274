CREATE TABLE rates (
    tenant_id bigint NOT NULL,
    code      text NOT NULL,
    cents     bigint NOT NULL,
    PRIMARY KEY (tenant_id, code)
);
CREATE TABLE lines (
    id        bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    code      text NOT NULL,
    cents     bigint
);
CREATE FUNCTION fill_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT r.cents INTO NEW.cents FROM rates r WHERE r.code = NEW.code;
    RETURN NEW;
END $$;
CREATE TRIGGER fill_rate BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION fill_rate();
