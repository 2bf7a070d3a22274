CREATE SCHEMA notary;

CREATE TABLE notary.deed (
    roll_no integer NOT NULL,
    year    smallint NOT NULL,
    subject text NOT NULL,
    entered timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (year, roll_no)
);

CREATE TABLE notary.deed_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year    smallint NOT NULL,
    roll_no integer NOT NULL,
    by_role name NOT NULL DEFAULT session_user,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
