CREATE TABLE time_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL,
    person       text NOT NULL,
    worked_on    date NOT NULL,
    minutes      integer NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    note         text NOT NULL DEFAULT ''
);
CREATE INDEX time_entry_workspace ON time_entry (workspace_id, worked_on);

ALTER TABLE time_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE time_entry FORCE ROW LEVEL SECURITY;
CREATE POLICY own_workspace ON time_entry
    USING (workspace_id = NULLIF(current_setting('app.workspace', true), '')::bigint);
