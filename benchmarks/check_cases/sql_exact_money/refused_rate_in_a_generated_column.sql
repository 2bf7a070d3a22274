CREATE TABLE payslip (
    id bigint PRIMARY KEY,
    gross numeric(10,2) NOT NULL,
    deduction real NOT NULL CHECK (deduction BETWEEN 0 AND 1),
    net numeric(10,2) GENERATED ALWAYS AS (round((gross * (1 - deduction))::numeric, 2)) STORED
);
