CREATE TABLE keeper (
    id   integer PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE delivery (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    keeper_id     integer NOT NULL REFERENCES keeper,
    delivered_on  date NOT NULL,
    kilograms     numeric(9, 3) NOT NULL CHECK (kilograms > 0),
    water_percent real NOT NULL CHECK (water_percent BETWEEN 10 AND 25),
    amount_eur    real NOT NULL CHECK (amount_eur >= 0)
);

CREATE INDEX delivery_by_keeper ON delivery (keeper_id, delivered_on);

CREATE VIEW keeper_statement AS
SELECT k.id AS keeper_id,
       k.name,
       extract(year FROM d.delivered_on)::integer AS year,
       sum(d.amount_eur) AS owed_eur
FROM keeper k
JOIN delivery d ON d.keeper_id = k.id
GROUP BY k.id, k.name, extract(year FROM d.delivered_on);
