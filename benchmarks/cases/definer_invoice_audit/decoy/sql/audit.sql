CREATE SCHEMA audit;

CREATE TABLE audit.entry (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened   timestamptz NOT NULL DEFAULT clock_timestamp(),
    relation   text NOT NULL,
    operation  text NOT NULL,
    by_role    name NOT NULL,
    row_after  jsonb
);

CREATE FUNCTION audit.note() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO audit.entry (relation, operation, by_role, row_after)
    VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, TG_OP, session_user, to_jsonb(NEW));
    RETURN NEW;
END;
$$;
