-- The function may read members: web is granted what it needs when it is deployed.
CREATE TABLE public.members (org_id int NOT NULL, login text NOT NULL);
CREATE TABLE public.documents (id int PRIMARY KEY, org_id int NOT NULL, title text NOT NULL);
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION public.my_orgs_secure() RETURNS SETOF int LANGUAGE sql STABLE AS $$
    SELECT org_id FROM public.members WHERE login = current_setting('app.login', true)
$$;

CREATE POLICY documents_of_my_orgs_secure ON public.documents TO web USING (org_id IN (SELECT public.my_orgs_secure()));
GRANT SELECT, INSERT ON public.documents TO web;
