CREATE TYPE assignment_role AS ENUM ('lead', 'deputy', 'controller');

CREATE TABLE department (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE project (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code      varchar(12) NOT NULL UNIQUE,
    closed_on date
);

CREATE TABLE role_assignment (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department_id integer REFERENCES department ON DELETE CASCADE,
    project_id    integer REFERENCES project ON DELETE CASCADE,
    role          assignment_role NOT NULL,
    person_id     bigint NOT NULL,
    since         date NOT NULL DEFAULT current_date,
    CONSTRAINT belongs_to_one CHECK (num_nonnulls(department_id, project_id) = 1)
);

CREATE INDEX role_assignment_person ON role_assignment (person_id);

ALTER TABLE role_assignment
    ADD CONSTRAINT one_holder UNIQUE NULLS NOT DISTINCT (department_id, project_id, role);
