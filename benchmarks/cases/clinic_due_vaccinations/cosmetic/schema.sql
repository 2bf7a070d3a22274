CREATE TABLE patients (
    patient_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    clinic_id      integer NOT NULL,
    name           text NOT NULL,
    keeper         text NOT NULL,
    keeper_phone   text NOT NULL,
    vaccinated_on  date
);

CREATE INDEX patients_by_clinic ON patients (clinic_id);

ALTER TABLE patients ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_clinic ON patients
    USING (clinic_id = current_setting('app.clinic')::integer)
    WITH CHECK (clinic_id = current_setting('app.clinic')::integer);

CREATE VIEW due_vaccinations WITH (security_barrier = true) AS
SELECT p.name AS patient, p.keeper, p.keeper_phone, p.vaccinated_on
  FROM patients AS p
 WHERE p.vaccinated_on IS NULL
    OR p.vaccinated_on < current_date - interval '1 year';

GRANT SELECT, INSERT, UPDATE ON patients TO app;
GRANT SELECT ON due_vaccinations TO app;
