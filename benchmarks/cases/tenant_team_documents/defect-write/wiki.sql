CREATE SCHEMA wiki;

CREATE TABLE wiki.team (
    id   integer PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE wiki.team_member (
    team_id   integer NOT NULL REFERENCES wiki.team,
    person_id integer NOT NULL,
    PRIMARY KEY (person_id, team_id)
);

CREATE TABLE wiki.document (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id integer NOT NULL REFERENCES wiki.team,
    title   text NOT NULL,
    body    text NOT NULL DEFAULT ''
);

ALTER TABLE wiki.team_member ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_memberships ON wiki.team_member FOR SELECT
    USING (person_id = NULLIF(current_setting('app.person', true), '')::integer);

ALTER TABLE wiki.document ENABLE ROW LEVEL SECURITY;
CREATE POLICY documents_of_my_teams ON wiki.document
    USING (
        EXISTS (
            SELECT 1
              FROM wiki.team_member m
             WHERE m.team_id = document.team_id
               AND m.person_id = NULLIF(current_setting('app.person', true), '')::integer
        )
    )
    WITH CHECK (EXISTS (SELECT 1 FROM wiki.team t WHERE t.id = document.team_id));

GRANT USAGE ON SCHEMA wiki TO app;
GRANT SELECT ON wiki.team, wiki.team_member TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON wiki.document TO app;
