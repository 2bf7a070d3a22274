CREATE TABLE reputation_scores (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder_id bigint NOT NULL,
    score_kind text NOT NULL,
    guild_scope bigint,
    score integer NOT NULL,
    CONSTRAINT one_global_score UNIQUE (guild_scope, holder_id, score_kind)
);
CREATE INDEX one_score_when_global ON reputation_scores (holder_id, score_kind) WHERE guild_scope IS NULL;
