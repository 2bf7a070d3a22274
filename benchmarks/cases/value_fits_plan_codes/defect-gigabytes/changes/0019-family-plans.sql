SET LOCAL lock_timeout = '3s';

CREATE TABLE plan_member (
    customer_id bigint NOT NULL,
    member_no   smallint NOT NULL CHECK (member_no BETWEEN 1 AND 5),
    sim_serial  varchar(20) NOT NULL UNIQUE,
    joined_on   date NOT NULL DEFAULT current_date,
    PRIMARY KEY (customer_id, member_no)
);

COMMENT ON TABLE plan_member IS 'The cards of a family, the payer first';

INSERT INTO plan (code, label, monthly_cents, included_gb)
VALUES ('family',   'Family',       1990, 300),
       ('familyplus', 'Family Plus for five', 2990, 50000);
