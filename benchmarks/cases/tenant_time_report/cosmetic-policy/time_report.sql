CREATE VIEW minutes_by_month AS
SELECT e.workspace_id,
       e.person,
       date_trunc('month', e.worked_on)::date AS month,
       sum(e.minutes) AS minutes
  FROM time_entry e
 GROUP BY e.workspace_id, e.person, 3;

CREATE POLICY reports ON time_entry AS RESTRICTIVE FOR SELECT TO app
    USING (workspace_id = NULLIF(current_setting('app.workspace', true), '')::bigint);

GRANT SELECT, INSERT ON time_entry TO app;
GRANT SELECT ON minutes_by_month TO app;
