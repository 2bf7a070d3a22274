GRANT SELECT, INSERT, UPDATE ON patient, appointment TO app;
GRANT SELECT ON patient, appointment TO auditor;
CREATE POLICY operators ON patient FOR SELECT TO auditor USING (true);
CREATE POLICY operators ON appointment FOR SELECT TO auditor USING (true);
