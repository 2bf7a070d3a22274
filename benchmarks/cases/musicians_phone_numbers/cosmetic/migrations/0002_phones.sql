CREATE TABLE musician_phones (
    musician_id  bigint NOT NULL REFERENCES musicians,
    kind         text NOT NULL CHECK (kind IN ('home', 'mobile', 'other')),
    number       text NOT NULL,
    PRIMARY KEY (musician_id, number, kind)
);

CREATE TEMPORARY TABLE phones_before AS
SELECT musician_id, phone_home, phone_mobile FROM musicians;

INSERT INTO musician_phones (musician_id, kind, number)
SELECT musician_id, 'home', phone_home
  FROM musicians
 WHERE phone_home IS NOT NULL;

ALTER TABLE musicians
    DROP COLUMN phone_home,
    DROP COLUMN phone_mobile;
