CREATE VIEW minutes_by_month WITH (security_barrier = true) AS
SELECT e.workspace_id,
       e.person,
       date_trunc('month', e.worked_on)::date AS month,
       sum(e.minutes) AS minutes
  FROM time_entry e
 GROUP BY e.workspace_id, e.person, 3;

GRANT SELECT, INSERT ON time_entry TO app;
GRANT SELECT ON minutes_by_month TO app;
