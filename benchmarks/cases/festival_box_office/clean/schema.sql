CREATE TABLE films (
    film_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title    text NOT NULL UNIQUE,
    minutes  real NOT NULL CHECK (minutes > 0),
    rating   double precision CHECK (rating BETWEEN 0 AND 5)
);

CREATE TABLE tickets (
    ticket_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    film_id    bigint NOT NULL REFERENCES films,
    sold_at    timestamptz NOT NULL DEFAULT now(),
    price_eur  numeric(10, 2) NOT NULL CHECK (price_eur >= 0)
);

CREATE INDEX tickets_by_film ON tickets (film_id);

CREATE VIEW film_takings AS
SELECT f.title,
       sum(t.price_eur) AS takings_eur,
       round(sum(t.price_eur) * 0.40, 2) AS share_eur
  FROM films AS f
  JOIN tickets AS t USING (film_id)
 GROUP BY f.title;
