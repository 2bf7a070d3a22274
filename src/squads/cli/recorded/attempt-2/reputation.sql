-- One score per holder and kind: global when guild_scope is NULL, else within that guild.
CREATE TABLE reputation_scores (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    holder_id    uuid NOT NULL,
    score_kind   text NOT NULL,
    guild_scope  uuid,
    score        numeric(8, 3) NOT NULL,
    decay_factor numeric(5, 4) NOT NULL,
    computed_at  timestamptz NOT NULL DEFAULT now()
);

-- NULL is distinct from NULL, so global rows and guild rows each need a key of their own.
CREATE UNIQUE INDEX reputation_scores_global
    ON reputation_scores (holder_id, score_kind) WHERE guild_scope IS NULL;
CREATE UNIQUE INDEX reputation_scores_in_guild
    ON reputation_scores (holder_id, score_kind, guild_scope) WHERE guild_scope IS NOT NULL;
