CREATE TABLE badge (
    member bigint NOT NULL,
    kind text NOT NULL,
    season text,
    CONSTRAINT badge_once UNIQUE (member, kind, season)
);
CREATE FUNCTION badge_season() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.season := coalesce(NEW.season, current_setting('app.season', true));
    RETURN NEW;
END $$;
CREATE TRIGGER badge_season BEFORE INSERT OR UPDATE ON badge FOR EACH ROW EXECUTE FUNCTION badge_season();
