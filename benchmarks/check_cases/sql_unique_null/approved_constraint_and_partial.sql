-- The original constraint stays; one partial index holds the rows that it leaves free.
CREATE TABLE price_rules (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id  bigint NOT NULL,
    region_id   bigint,
    valid_from  date NOT NULL DEFAULT CURRENT_DATE,
    CONSTRAINT price_rules_key UNIQUE (product_id, region_id, valid_from)
);
CREATE UNIQUE INDEX price_rules_everywhere ON price_rules (product_id, valid_from) WHERE region_id IS NULL;
