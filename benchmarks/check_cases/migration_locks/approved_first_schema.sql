CREATE TABLE a (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint);
CREATE INDEX b_a ON b (a_id);
ALTER TABLE b ADD CONSTRAINT b_a_fk FOREIGN KEY (a_id) REFERENCES a (id);
ALTER TABLE a ADD COLUMN token uuid DEFAULT gen_random_uuid();
ALTER TABLE a ALTER COLUMN name TYPE varchar(20);
CLUSTER b USING b_a;
