CREATE SCHEMA billing;

CREATE TABLE billing.invoice (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      text NOT NULL UNIQUE,
    total_cents bigint NOT NULL,
    issued_on   date NOT NULL DEFAULT current_date
);

CREATE TRIGGER invoice_audit
    AFTER INSERT OR UPDATE ON billing.invoice
    FOR EACH ROW EXECUTE FUNCTION audit.note();
