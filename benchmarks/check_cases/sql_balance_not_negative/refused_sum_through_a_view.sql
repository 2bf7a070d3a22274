CREATE TABLE beekeeper (beekeeper_no bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE honey_entry (
    entry_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    beekeeper_no bigint NOT NULL REFERENCES beekeeper,
    jars         integer NOT NULL CHECK (jars <> 0)
);
CREATE VIEW honey AS SELECT beekeeper_no, sum(jars) AS jars FROM honey_entry GROUP BY beekeeper_no;
CREATE FUNCTION take_jars(p_no bigint, p_jars integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    have bigint;
BEGIN
    SELECT jars INTO have FROM honey WHERE beekeeper_no = p_no;
    IF coalesce(have, 0) < p_jars THEN
        RAISE EXCEPTION 'only % jars', have;
    END IF;
    INSERT INTO honey_entry (beekeeper_no, jars) VALUES (p_no, -p_jars);
END $$;
