CREATE TABLE public.users (
    id bigint NOT NULL,
    email character varying DEFAULT ''::character varying NOT NULL,
    account_id bigint,
    discarded_at timestamp without time zone
);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX index_users_on_email_and_account_id ON public.users USING btree (email, account_id) WHERE (discarded_at IS NULL);
