-- One score per holder and kind: global when guild_scope is NULL, else within that guild.
CREATE TABLE reputation_scores (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    holder_id    uuid NOT NULL,
    score_kind   text NOT NULL,
    guild_scope  uuid,
    score        numeric(8, 3) NOT NULL,
    decay_factor numeric(5, 4) NOT NULL,
    computed_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (holder_id, score_kind, guild_scope)
);
