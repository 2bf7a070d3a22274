CREATE SCHEMA inv;

CREATE TABLE inv.movement (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article  text NOT NULL,
    batch    text NOT NULL DEFAULT '',
    pieces   integer NOT NULL CHECK (pieces <> 0),
    moved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE inv.level (
    article text NOT NULL,
    batch   text NOT NULL DEFAULT '',
    pieces  integer NOT NULL CHECK (pieces >= 0),
    PRIMARY KEY (article, batch)
);

CREATE FUNCTION inv.apply_movement() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = inv, pg_temp
AS $$
BEGIN
    UPDATE inv.level SET pieces = pieces + NEW.pieces WHERE article = NEW.article;
    IF NOT FOUND THEN
        INSERT INTO inv.level (article, pieces) VALUES (NEW.article, NEW.pieces);
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER movement_applies AFTER INSERT ON inv.movement
    FOR EACH ROW EXECUTE FUNCTION inv.apply_movement();

GRANT USAGE ON SCHEMA inv TO app;
GRANT SELECT, INSERT ON inv.movement TO app;
GRANT SELECT ON inv.level TO app;
