CREATE TABLE course (
    id        bigint GENERATED ALWAYS AS IDENTITY,
    school_id integer NOT NULL,
    title     text NOT NULL,
    level     text NOT NULL CHECK (level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
    PRIMARY KEY (school_id, id)
);

CREATE TABLE pupil (
    id        bigint GENERATED ALWAYS AS IDENTITY,
    school_id integer NOT NULL,
    full_name text NOT NULL,
    phone     text NOT NULL,
    PRIMARY KEY (school_id, id)
);

CREATE TABLE enrolment (
    school_id   integer NOT NULL,
    course_id   bigint NOT NULL,
    pupil_id    bigint NOT NULL,
    enrolled_on date NOT NULL DEFAULT current_date,
    PRIMARY KEY (school_id, course_id, pupil_id),
    FOREIGN KEY (school_id, course_id) REFERENCES course (school_id, id),
    FOREIGN KEY (school_id, pupil_id) REFERENCES pupil (school_id, id)
);

ALTER TABLE course ENABLE ROW LEVEL SECURITY;
ALTER TABLE pupil ENABLE ROW LEVEL SECURITY;
ALTER TABLE enrolment ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_school ON course
    USING (school_id = current_setting('app.school_id')::integer);
CREATE POLICY own_school ON pupil
    USING (school_id = current_setting('app.school_id')::integer);
CREATE POLICY own_school ON enrolment
    USING (school_id = current_setting('app.school_id')::integer);

-- The roster follows the school of the request.
CREATE VIEW course_roster WITH (security_barrier = true) AS
SELECT c.title, c.level, p.full_name, p.phone, e.enrolled_on
FROM enrolment e
JOIN course c ON c.school_id = e.school_id AND c.id = e.course_id
JOIN pupil p ON p.school_id = e.school_id AND p.id = e.pupil_id
WHERE e.school_id = current_setting('app.school_id')::integer;

GRANT SELECT, INSERT, UPDATE, DELETE ON course, pupil, enrolment TO app;
GRANT SELECT ON course_roster TO app;
