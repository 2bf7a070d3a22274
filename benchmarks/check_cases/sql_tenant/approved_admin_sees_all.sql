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
CREATE ROLE support_admin NOLOGIN;
CREATE POLICY all_for_support ON documents FOR SELECT TO support_admin USING (true);
GRANT SELECT ON documents TO support_admin;
