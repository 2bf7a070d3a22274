ALTER TABLE events ADD COLUMN token uuid;
ALTER TABLE events ALTER COLUMN token SET DEFAULT gen_random_uuid();
