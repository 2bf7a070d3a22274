CREATE TABLE listings (
    id bigint PRIMARY KEY,
    price numeric(12,2) NOT NULL,
    price_index double precision,
    price_trend real,
    price_elasticity real,
    price_zscore double precision,
    price_tier real,
    price_rank real,
    price_level real,
    price_group real
);
