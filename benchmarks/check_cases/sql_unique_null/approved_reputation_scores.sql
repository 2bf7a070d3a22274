CREATE TABLE reputation_scores (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    holder_id    uuid NOT NULL REFERENCES citizens (id) ON DELETE CASCADE,
    score_kind   text NOT NULL,
    guild_scope  uuid REFERENCES guilds (id),
    score        numeric(5, 4) NOT NULL DEFAULT 0,
    computed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX reputation_scores_global ON reputation_scores (holder_id, score_kind) WHERE guild_scope IS NULL;
CREATE UNIQUE INDEX reputation_scores_guild ON reputation_scores (holder_id, score_kind, guild_scope)
    WHERE guild_scope IS NOT NULL;
