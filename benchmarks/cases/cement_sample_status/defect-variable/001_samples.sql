CREATE TABLE samples (
    sample_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    silo            varchar(6) NOT NULL,
    strength_class  numeric(3, 1) NOT NULL CHECK (strength_class IN (32.5, 42.5, 52.5)),
    taken_on        date NOT NULL,
    strength_mpa    numeric(4, 1) CHECK (strength_mpa BETWEEN 0 AND 150),
    status          varchar(20) NOT NULL DEFAULT 'curing',
    CONSTRAINT samples_status CHECK (status IN ('curing', 'released', 'awaiting retest', 'rejected'))
);
