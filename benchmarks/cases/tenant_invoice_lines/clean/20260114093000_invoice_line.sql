CREATE TABLE invoice_line (
    tenant     uuid NOT NULL,
    invoice_id bigint NOT NULL,
    pos        smallint NOT NULL CHECK (pos > 0),
    label      text NOT NULL,
    net_cents  bigint NOT NULL,
    PRIMARY KEY (invoice_id, pos),
    FOREIGN KEY (tenant, invoice_id) REFERENCES invoice (tenant, id) ON DELETE CASCADE
);

CREATE POLICY tenant_rows ON invoice_line
    FOR ALL TO app
    USING (tenant = current_tenant())
    WITH CHECK (tenant = current_tenant());

ALTER TABLE invoice_line ENABLE ROW LEVEL SECURITY;

GRANT SELECT, INSERT, UPDATE, DELETE ON invoice_line TO app;
