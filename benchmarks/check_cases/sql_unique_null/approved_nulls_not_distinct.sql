CREATE TABLE feature_flags (
    flag       text NOT NULL,
    tenant_id  bigint,
    enabled    boolean NOT NULL DEFAULT false,
    UNIQUE NULLS NOT DISTINCT (flag, tenant_id)
);
