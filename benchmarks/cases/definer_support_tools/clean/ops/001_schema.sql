CREATE SCHEMA ops;

CREATE TABLE ops.staff (
    login      text PRIMARY KEY,
    staff_role text NOT NULL DEFAULT 'reader' CHECK (staff_role IN ('reader', 'editor', 'admin'))
);

CREATE TABLE ops.role_change (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login      text NOT NULL REFERENCES ops.staff,
    new_role   text NOT NULL,
    changed_by name NOT NULL DEFAULT session_user,
    changed_at timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA ops TO app, auditor;
GRANT SELECT ON ops.staff TO app, auditor;
