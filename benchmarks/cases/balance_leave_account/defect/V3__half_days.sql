-- Half days, and what is carried over from the year before.
ALTER TABLE hr.leave_account
    DROP CONSTRAINT leave_balance_range,
    ADD COLUMN carried_over numeric(4, 1) NOT NULL DEFAULT 0;

ALTER TABLE hr.leave_account
    ADD CONSTRAINT carried_over_range CHECK (carried_over BETWEEN 0 AND 10);
