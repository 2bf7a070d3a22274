ALTER TABLE events
    ADD COLUMN source text NOT NULL DEFAULT 'web',
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN options jsonb NOT NULL DEFAULT '{}'::jsonb;
