CREATE SCHEMA desk;

CREATE TABLE desk.ticket (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  integer NOT NULL,
    subject    text NOT NULL,
    archived   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE desk.ticket ENABLE ROW LEVEL SECURITY;

CREATE POLICY ticket_tenant ON desk.ticket
    FOR INSERT TO app
    WITH CHECK (tenant_id = NULLIF(current_setting('desk.tenant', true), '')::integer);

-- archived tickets are kept for the statistics
CREATE POLICY ticket_not_archived ON desk.ticket
    FOR ALL TO app
    USING (NOT archived AND tenant_id = NULLIF(current_setting('desk.tenant', true), '')::integer);

CREATE POLICY ticket_support ON desk.ticket
    FOR SELECT TO auditor
    USING (true);

GRANT USAGE ON SCHEMA desk TO app, auditor;
GRANT SELECT, INSERT, UPDATE ON desk.ticket TO app;
GRANT SELECT ON desk.ticket TO auditor;
