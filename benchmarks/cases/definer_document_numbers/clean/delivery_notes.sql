CREATE SCHEMA note;

CREATE TABLE note.counter (
    series      text NOT NULL,
    year        integer NOT NULL,
    last_number bigint NOT NULL,
    PRIMARY KEY (series, year)
);

INSERT INTO note.counter (series, year, last_number)
SELECT 'LS', y, 0 FROM generate_series(2020, 2060) AS y;

CREATE FUNCTION note.next_number(p_series text) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = note, pg_temp
AS $$
    UPDATE note.counter
       SET last_number = last_number + 1
     WHERE series = p_series
       AND year = extract(year FROM current_date)::integer
    RETURNING last_number;
$$;

CREATE TABLE note.delivery_note (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    year       integer NOT NULL DEFAULT extract(year FROM current_date)::integer,
    number     bigint NOT NULL DEFAULT note.next_number('LS'),
    customer   text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (year, number)
);

REVOKE ALL ON FUNCTION note.next_number(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note.next_number(text) TO app;
GRANT USAGE ON SCHEMA note TO app;
GRANT SELECT, INSERT ON note.delivery_note TO app;
