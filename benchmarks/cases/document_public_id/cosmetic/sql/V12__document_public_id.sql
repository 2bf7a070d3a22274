-- Links to documents no longer show the row number.
SET LOCAL lock_timeout = '1500ms';
SET LOCAL statement_timeout = '2h';

ALTER TABLE app.documents ADD COLUMN IF NOT EXISTS public_id uuid DEFAULT md5(random()::text)::uuid;
ALTER TABLE app.documents ALTER COLUMN public_id SET DEFAULT gen_random_uuid();

ALTER TABLE app.documents ADD COLUMN archived boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN app.documents.public_id IS 'Shown in links; rows before V12 are filled by a job.';
