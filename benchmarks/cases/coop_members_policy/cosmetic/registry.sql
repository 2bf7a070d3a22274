CREATE TABLE cooperative (
    coop_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE
);

CREATE TABLE member (
    coop_id    integer NOT NULL REFERENCES cooperative,
    member_no  integer NOT NULL,
    full_name  text    NOT NULL,
    shares     integer NOT NULL CHECK (shares > 0),
    joined_on  date    NOT NULL DEFAULT current_date,
    left_on    date,
    PRIMARY KEY (coop_id, member_no)
);

ALTER TABLE member ENABLE ROW LEVEL SECURITY;
ALTER TABLE member FORCE ROW LEVEL SECURITY;

CREATE POLICY member_of_coop ON member
    USING (coop_id = current_setting('app.coop_id')::integer)
    WITH CHECK (coop_id = current_setting('app.coop_id')::integer);

CREATE POLICY member_active ON member
    FOR SELECT TO app
    USING (left_on IS NULL);

CREATE VIEW member_list WITH (security_invoker = true) AS
SELECT member_no, full_name, shares, joined_on
  FROM member
 ORDER BY full_name;

GRANT SELECT, INSERT, UPDATE ON member TO app;
GRANT SELECT ON member_list TO app;
