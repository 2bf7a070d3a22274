CREATE TABLE musician_phones (
    musician_id  bigint NOT NULL REFERENCES musicians,
    kind         text NOT NULL CHECK (kind IN ('home', 'mobile', 'other')),
    number       text NOT NULL,
    PRIMARY KEY (musician_id, number, kind)
);

CREATE TABLE phones_unpivoted AS
SELECT m.musician_id, p.kind, p.number
  FROM musicians AS m
 CROSS JOIN LATERAL (VALUES ('home', m.phone_home), ('mobile', m.phone_mobile)) AS p (kind, number);

DELETE FROM phones_unpivoted WHERE number IS NULL;

INSERT INTO musician_phones (musician_id, kind, number)
SELECT musician_id, kind, number FROM phones_unpivoted;

DROP TABLE phones_unpivoted;

ALTER TABLE musicians
    DROP COLUMN phone_home,
    DROP COLUMN phone_mobile;
