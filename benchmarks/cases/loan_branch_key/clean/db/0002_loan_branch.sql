CREATE TABLE branch_hours (
    branch_id  integer  NOT NULL REFERENCES branch,
    weekday    smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens      time     NOT NULL,
    closes     time     NOT NULL,
    PRIMARY KEY (branch_id, weekday)
);

ALTER TABLE loan
    ADD CONSTRAINT loan_branch_fk FOREIGN KEY (branch_id) REFERENCES branch (branch_id) NOT VALID;
