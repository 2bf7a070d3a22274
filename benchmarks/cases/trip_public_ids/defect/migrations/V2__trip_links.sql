SET LOCAL lock_timeout = '2s';

ALTER TABLE trip ADD COLUMN public_id uuid DEFAULT gen_random_uuid();

COMMENT ON COLUMN trip.public_id IS 'In links; never the trip_id.';

CREATE TABLE trip_link_visit (
    public_id   uuid        NOT NULL,
    visited_at  timestamptz NOT NULL DEFAULT now(),
    user_agent  text
);
