CREATE TABLE appointment (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    practice_id integer NOT NULL,
    patient_id  bigint NOT NULL,
    starts_at   timestamptz NOT NULL,
    FOREIGN KEY (practice_id, patient_id) REFERENCES patient (practice_id, id)
);
ALTER TABLE appointment ENABLE ROW LEVEL SECURITY;
CREATE POLICY appointment_practice ON appointment USING (practice_visible(practice_id));
