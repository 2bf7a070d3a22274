CREATE TABLE tenants (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenants (id),
    title text NOT NULL,
    is_public boolean NOT NULL DEFAULT false
);
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO app;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON documents
    USING (tenant_id = current_setting('app.tenant')::bigint);

CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, total numeric(12, 2) NOT NULL);
GRANT SELECT, INSERT ON invoices TO app;
