CREATE TABLE invoice (
    id     bigint PRIMARY KEY,
    tenant uuid NOT NULL,
    number text NOT NULL,
    UNIQUE (tenant, number),
    UNIQUE (tenant, id)
);

CREATE FUNCTION current_tenant() RETURNS uuid
    LANGUAGE sql STABLE
    RETURN NULLIF(current_setting('app.tenant', true), '')::uuid;

ALTER TABLE invoice ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON invoice USING (tenant = current_tenant());
GRANT SELECT, INSERT, UPDATE ON invoice TO app;
