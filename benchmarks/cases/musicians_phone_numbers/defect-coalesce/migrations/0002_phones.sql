CREATE TABLE musician_phones (
    musician_id  bigint NOT NULL REFERENCES musicians,
    kind         text NOT NULL CHECK (kind IN ('home', 'mobile', 'other')),
    number       text NOT NULL,
    PRIMARY KEY (musician_id, number, kind)
);

INSERT INTO musician_phones (musician_id, kind, number)
SELECT musician_id,
       CASE WHEN phone_mobile IS NULL THEN 'home' ELSE 'mobile' END,
       coalesce(phone_mobile, phone_home)
  FROM musicians
 WHERE phone_mobile IS NOT NULL OR phone_home IS NOT NULL;

ALTER TABLE musicians
    DROP COLUMN phone_home,
    DROP COLUMN phone_mobile;
