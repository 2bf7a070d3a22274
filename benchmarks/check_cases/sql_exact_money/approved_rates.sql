CREATE TABLE products (
    id bigint PRIMARY KEY,
    price numeric(10, 2) NOT NULL,
    discount_percent real NOT NULL DEFAULT 0,
    tax_rate double precision NOT NULL,
    price_elasticity double precision,
    popularity_score real
);
CREATE TABLE exchange_rates (currency char(3) PRIMARY KEY, rate double precision NOT NULL);
