CREATE TABLE staff (tenant_id uuid NOT NULL, person_id uuid NOT NULL, PRIMARY KEY (tenant_id, person_id));
CREATE TABLE files (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, name text NOT NULL);
CREATE FUNCTION my_tenants() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$ SELECT s.tenant_id FROM public.staff s WHERE current_setting('app.person') <> '' $$;
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_staff ON staff USING (person_id = current_setting('app.person')::uuid);
CREATE POLICY own_files ON files USING (tenant_id IN (SELECT my_tenants()));
