SET lock_timeout = '2s';

ALTER TABLE trips ADD COLUMN imported_at timestamptz NOT NULL DEFAULT now();

ALTER TABLE trips ADD COLUMN public_id uuid;
ALTER TABLE trips ALTER COLUMN public_id SET DEFAULT gen_random_uuid();

COMMENT ON COLUMN trips.public_id IS 'For links in e-mails; never the key of another table.';
