ALTER TABLE events ADD COLUMN number bigserial;
