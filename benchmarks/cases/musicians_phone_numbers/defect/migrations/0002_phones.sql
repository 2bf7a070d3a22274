CREATE TABLE musician_phones (
    musician_id  bigint NOT NULL REFERENCES musicians,
    kind         text NOT NULL CHECK (kind IN ('home', 'mobile', 'other')),
    number       text NOT NULL,
    PRIMARY KEY (musician_id, number, kind)
);

ALTER TABLE musicians
    DROP COLUMN phone_home,
    DROP COLUMN phone_mobile;
