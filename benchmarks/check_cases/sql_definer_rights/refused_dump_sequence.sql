-- A dump: the application may insert into the log, but not draw from its sequence.
SET check_function_bodies = false;
CREATE SCHEMA history;
ALTER SCHEMA history OWNER TO shop_owner;
CREATE FUNCTION history.note_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO history.changes (table_name, operation) VALUES (TG_TABLE_NAME, TG_OP);
  RETURN NULL;
END;
$$;
ALTER FUNCTION history.note_change() OWNER TO shop_owner;
CREATE TABLE history.changes (
    id bigint NOT NULL,
    table_name text NOT NULL,
    operation text NOT NULL
);
ALTER TABLE history.changes OWNER TO shop_owner;
CREATE SEQUENCE history.changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE history.changes_id_seq OWNER TO shop_owner;
ALTER SEQUENCE history.changes_id_seq OWNED BY history.changes.id;
CREATE TABLE public.products (
    id integer NOT NULL,
    title text NOT NULL
);
ALTER TABLE public.products OWNER TO shop_owner;
ALTER TABLE ONLY history.changes ALTER COLUMN id SET DEFAULT nextval('history.changes_id_seq'::regclass);
CREATE TRIGGER products_changes AFTER INSERT OR DELETE OR UPDATE ON public.products FOR EACH ROW EXECUTE FUNCTION history.note_change();
GRANT USAGE ON SCHEMA history TO shop_app;
GRANT INSERT ON TABLE history.changes TO shop_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.products TO shop_app;
