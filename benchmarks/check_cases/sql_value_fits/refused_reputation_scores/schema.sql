-- Reputation is recomputed by the upsert in upsert.py.
CREATE TABLE reputation_scores (
    holder_id uuid NOT NULL,
    score_kind text NOT NULL,
    score numeric(7,3) NOT NULL DEFAULT 0,
    decay_factor NUMERIC(5,4) NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (holder_id, score_kind)
);
