-- Made SECURITY DEFINER in a hurry: whoever writes a score chooses where audit_events is looked up.
CREATE ROLE guild_app LOGIN;
CREATE ROLE guild_auditor NOLOGIN;

CREATE TABLE reputation_scores (
    holder_id   uuid    NOT NULL,
    score_kind  text    NOT NULL,
    score       numeric NOT NULL,
    PRIMARY KEY (holder_id, score_kind)
);

CREATE TABLE audit_events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened   timestamptz NOT NULL DEFAULT now(),
    table_name text        NOT NULL,
    row_data   jsonb       NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON reputation_scores TO guild_app;
GRANT SELECT, INSERT ON audit_events TO guild_auditor;

CREATE FUNCTION record_audit_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit_events (table_name, row_data) VALUES (TG_TABLE_NAME, to_jsonb(NEW));
    RETURN NEW;
END
$$;

CREATE TRIGGER reputation_scores_audit
    AFTER INSERT OR UPDATE ON reputation_scores
    FOR EACH ROW EXECUTE FUNCTION record_audit_event();
