-- Levels by batch. The trigger stays, only what it calls is exchanged.
CREATE OR REPLACE FUNCTION inv.apply_movement() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE inv.level
       SET pieces = pieces + NEW.pieces
     WHERE article = NEW.article AND batch = NEW.batch;
    IF NOT FOUND THEN
        INSERT INTO inv.level (article, batch, pieces)
        VALUES (NEW.article, NEW.batch, NEW.pieces);
    END IF;
    RETURN NEW;
END;
$$;
