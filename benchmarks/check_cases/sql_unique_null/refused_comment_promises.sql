-- The cosmetic fix: an index instead of a constraint, a default, a reassuring name and a comment. NULL still repeats.
CREATE TABLE feature_flags (
    flag       text NOT NULL,
    tenant_id  bigint DEFAULT 0, -- never NULL in practice
    enabled    boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX feature_flags_null_safe ON feature_flags USING btree (flag, tenant_id) INCLUDE (enabled);
COMMENT ON INDEX feature_flags_null_safe IS 'One row per flag and tenant; the global row (tenant_id IS NULL) is unique too.';
