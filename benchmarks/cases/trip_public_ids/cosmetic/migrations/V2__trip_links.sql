SET LOCAL lock_timeout = '2s';

CREATE FUNCTION new_public_id() RETURNS uuid
LANGUAGE sql
RETURN gen_random_uuid();

ALTER TABLE trip ADD COLUMN public_id uuid DEFAULT new_public_id();

COMMENT ON COLUMN trip.public_id IS 'In links; never the trip_id.';

CREATE TABLE trip_link_visit (
    public_id   uuid        NOT NULL,
    visited_at  timestamptz NOT NULL DEFAULT now(),
    user_agent  text
);
