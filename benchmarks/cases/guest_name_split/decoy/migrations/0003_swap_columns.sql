ALTER TABLE guests DROP COLUMN full_name;

ALTER TABLE guests
    ADD COLUMN given_name text NOT NULL DEFAULT '',
    ADD COLUMN family_name text NOT NULL DEFAULT '';

COMMENT ON COLUMN guests.family_name IS 'As printed on the registration form; empty for people with one name.';
