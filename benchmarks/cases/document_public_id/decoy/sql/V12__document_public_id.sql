-- Links to documents no longer show the row number.
ALTER TABLE app.documents ADD COLUMN public_id uuid;
ALTER TABLE app.documents ALTER COLUMN public_id SET DEFAULT gen_random_uuid();

ALTER TABLE app.documents ADD COLUMN archived boolean NOT NULL DEFAULT false;
ALTER TABLE app.documents ADD COLUMN imported_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN app.documents.public_id IS 'Shown in links; rows before V12 are filled by a job.';
