-- A global score has no guild: guild_scope stays NULL, and the key lets the same score in again and again.
CREATE TABLE reputation_scores (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    holder_id    uuid NOT NULL REFERENCES citizens (id) ON DELETE CASCADE,
    score_kind   text NOT NULL,
    guild_scope  uuid REFERENCES guilds (id),
    score        numeric(5, 4) NOT NULL DEFAULT 0,
    computed_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (holder_id, score_kind, guild_scope)
);
CREATE INDEX reputation_scores_holder ON reputation_scores (holder_id);
