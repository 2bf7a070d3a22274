CREATE TABLE store (
    id   integer PRIMARY KEY,
    city text NOT NULL
);

CREATE TABLE campaign (
    id    integer PRIMARY KEY,
    title text NOT NULL
);

CREATE TABLE discount_rule (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id   integer NOT NULL REFERENCES campaign,
    product_group text NOT NULL,
    store_id      integer REFERENCES store,
    permille      smallint NOT NULL CHECK (permille BETWEEN 1 AND 1000)
);
CREATE INDEX discount_rule_campaign ON discount_rule (campaign_id);
