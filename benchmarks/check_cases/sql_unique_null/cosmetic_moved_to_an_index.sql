-- The constraint became an index, and the column a default. NULL may still be written, and is still distinct.
CREATE TABLE reputation_scores (
    holder_id uuid NOT NULL,
    score_kind text NOT NULL,
    guild_scope uuid DEFAULT '00000000-0000-0000-0000-000000000000' /* NOT NULL in practice */
);
CREATE UNIQUE INDEX reputation_scores_nulls_not_distinct
    ON reputation_scores (holder_id, score_kind, guild_scope NULLS FIRST) WHERE holder_id IS NOT NULL;
COMMENT ON INDEX reputation_scores_nulls_not_distinct IS 'NULLS NOT DISTINCT';
