CREATE TABLE credit_account (
    customer_id bigint PRIMARY KEY,
    credits     bigint NOT NULL,
    plan        text   NOT NULL DEFAULT 'prepaid',
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credit_use (
    id          bigserial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES credit_account,
    job         text   NOT NULL,
    credits     bigint NOT NULL CHECK (credits > 0),
    used_at     timestamptz NOT NULL DEFAULT now()
);
