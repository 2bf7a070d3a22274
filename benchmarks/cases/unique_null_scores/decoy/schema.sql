CREATE TABLE reputation_scores (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder_id bigint NOT NULL,
    score_kind text NOT NULL,
    guild_scope bigint,
    score integer NOT NULL,
    UNIQUE (holder_id, score_kind, guild_scope)
);
CREATE UNIQUE INDEX one_global_score ON reputation_scores (holder_id, score_kind) WHERE guild_scope IS NULL;
