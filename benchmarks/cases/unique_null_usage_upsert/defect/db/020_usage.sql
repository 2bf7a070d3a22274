CREATE TABLE usage_by_day (
    account_id bigint NOT NULL REFERENCES account (account_id),
    feature    text   NOT NULL,
    api_key_id uuid,
    day        date   NOT NULL DEFAULT current_date,
    calls      bigint NOT NULL DEFAULT 0,
    CONSTRAINT usage_by_day_uq UNIQUE (account_id, feature, api_key_id, day)
);

-- BRIN is enough, rows arrive by day
CREATE INDEX usage_by_day_day_brin ON usage_by_day USING brin (day);
