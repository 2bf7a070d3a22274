CREATE TABLE branch_hours (
    branch_id  integer  NOT NULL,
    weekday    smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens      time     NOT NULL,
    closes     time     NOT NULL
);
ALTER TABLE branch_hours ADD PRIMARY KEY (branch_id, weekday);
ALTER TABLE branch_hours ADD FOREIGN KEY (branch_id) REFERENCES branch;
CREATE INDEX branch_hours_by_weekday ON branch_hours (weekday, opens);

ALTER TABLE loan
    ADD CONSTRAINT loan_branch_fk FOREIGN KEY (branch_id) REFERENCES branch (branch_id) NOT VALID;
