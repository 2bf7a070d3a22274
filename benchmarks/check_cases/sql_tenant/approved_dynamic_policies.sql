CREATE TABLE notes (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, body text);
CREATE TABLE files (id bigint PRIMARY KEY, tenant_id uuid NOT NULL, path text);
DO $$
DECLARE shared text;
BEGIN
    FOREACH shared IN ARRAY ARRAY['notes', 'files'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', shared);
        EXECUTE format('CREATE POLICY own ON %I USING (tenant_id = current_setting(''app.tenant'')::uuid)', shared);
    END LOOP;
END $$;
