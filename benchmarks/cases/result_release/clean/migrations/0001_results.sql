CREATE SCHEMA lab;

CREATE TABLE lab.result (
    result_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_no   bigint      NOT NULL,
    analyte      text        NOT NULL,
    value_text   text        NOT NULL,
    measured_at  timestamptz NOT NULL DEFAULT now(),
    on_hold      boolean     NOT NULL DEFAULT false,
    released_at  timestamptz,
    released_by  text,
    CHECK ((released_at IS NULL) = (released_by IS NULL))
);

CREATE VIEW lab.released_result AS
SELECT patient_no, analyte, value_text, measured_at, released_at
  FROM lab.result
 WHERE released_at IS NOT NULL;
