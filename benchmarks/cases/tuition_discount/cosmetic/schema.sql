CREATE TABLE branch (
    id   integer PRIMARY KEY,
    city text NOT NULL UNIQUE
);

CREATE TABLE pupil (
    id   integer PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE discount (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pupil_id  integer NOT NULL REFERENCES pupil,
    term      text NOT NULL CHECK (term ~ '^\d{4}[SW]$'),
    branch_id integer REFERENCES branch,
    percent   smallint NOT NULL CHECK (percent BETWEEN 1 AND 50)
);

COMMENT ON COLUMN discount.branch_id IS 'NULL: holds in all branches';

CREATE UNIQUE INDEX discount_once
    ON discount (pupil_id, coalesce(term, ''), branch_id);

CREATE INDEX discount_by_term ON discount (term);
