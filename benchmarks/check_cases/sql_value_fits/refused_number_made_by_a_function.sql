CREATE SEQUENCE ref_seq;
CREATE TABLE quote (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ref varchar(12) NOT NULL UNIQUE,
    net numeric(12,2) NOT NULL
);
CREATE FUNCTION make_ref(p_region text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_year text := to_char(now(), 'YYYY');
    v_no bigint;
BEGIN
    v_no := nextval('ref_seq');
    RETURN upper(p_region) || '-' || v_year || '-' || lpad(v_no::text, 8, '0');
END $$;
CREATE FUNCTION quote_ref() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ref := make_ref('eu');
    RETURN NEW;
END $$;
CREATE TRIGGER quote_ref BEFORE INSERT ON quote FOR EACH ROW EXECUTE FUNCTION quote_ref();
