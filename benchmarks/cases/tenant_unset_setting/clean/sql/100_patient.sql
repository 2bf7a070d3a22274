CREATE TABLE patient (
    id          bigint PRIMARY KEY,
    practice_id integer NOT NULL,
    full_name   text NOT NULL,
    born_on     date,
    UNIQUE (practice_id, id)
);
ALTER TABLE patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_practice ON patient USING (practice_visible(practice_id));
