-- The application reads documents; the policy asks a function, and the function reads members.
CREATE TABLE public.members (org_id int NOT NULL, login text NOT NULL);
CREATE TABLE public.documents (id int PRIMARY KEY, org_id int NOT NULL, title text NOT NULL);
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION public.my_orgs() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT org_id FROM public.members WHERE login = current_setting('app.login', true)
$$;

CREATE POLICY documents_of_my_orgs ON public.documents TO web USING (org_id IN (SELECT public.my_orgs()));
GRANT SELECT, INSERT ON public.documents TO web;
