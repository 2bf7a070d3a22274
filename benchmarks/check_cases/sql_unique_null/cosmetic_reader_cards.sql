CREATE TABLE reader (
    reader_no  integer PRIMARY KEY,
    card       text NOT NULL,
    left_on    date,
    here       boolean GENERATED ALWAYS AS (CASE WHEN left_on IS NOT NULL THEN false END) STORED,
    UNIQUE (card, here)
);
CREATE UNIQUE INDEX ON reader (card, left_on) WHERE left_on IS NOT NULL;
