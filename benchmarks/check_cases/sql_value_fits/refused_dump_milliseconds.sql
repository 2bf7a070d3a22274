SET statement_timeout = 0;
SET search_path = '';

CREATE TABLE public.event_log (
    id bigint NOT NULL,
    country character(2) NOT NULL,
    occurred_ms integer NOT NULL,
    kind character varying(10) DEFAULT 'created'::character varying NOT NULL
);

COPY public.event_log (id, country, occurred_ms, kind) FROM stdin;
1	DE	1700000000000	created
2	CI	1700000000250	authorised
\.

ALTER TABLE ONLY public.event_log ADD CONSTRAINT event_log_pkey PRIMARY KEY (id);
