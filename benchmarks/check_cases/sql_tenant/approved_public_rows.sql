CREATE TABLE tenants (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint NOT NULL REFERENCES tenants (id),
    title text NOT NULL,
    is_public boolean NOT NULL DEFAULT false
);
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO app;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY readable ON documents FOR SELECT
    USING (is_public OR tenant_id = current_setting('app.tenant')::bigint);
CREATE POLICY writable ON documents FOR UPDATE
    USING (tenant_id = current_setting('app.tenant')::bigint);
