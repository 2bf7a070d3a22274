--
-- PostgreSQL database dump
--
\restrict Qm9iYnk
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET default_table_access_method = heap;

CREATE TABLE public.price_rules (
    id bigint NOT NULL,
    product_id bigint NOT NULL,
    region_id bigint,
    valid_from date DEFAULT CURRENT_DATE NOT NULL,
    cents integer NOT NULL,
    CONSTRAINT price_rules_cents_check CHECK ((cents >= 0))
);
ALTER TABLE public.price_rules OWNER TO shop;
CREATE SEQUENCE public.price_rules_id_seq AS bigint START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.price_rules_id_seq OWNED BY public.price_rules.id;
ALTER TABLE ONLY public.price_rules ALTER COLUMN id SET DEFAULT nextval('public.price_rules_id_seq'::regclass);

COPY public.price_rules (id, product_id, region_id, valid_from, cents) FROM stdin;
1	7	\N	2026-01-01	100
2	7	\N	2026-01-01	250
\.

ALTER TABLE ONLY public.price_rules ADD CONSTRAINT price_rules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.price_rules
    ADD CONSTRAINT price_rules_product_region_from_key UNIQUE (product_id, region_id, valid_from);
\unrestrict Qm9iYnk
