CREATE TABLE guest_show (
    show_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company    text          NOT NULL UNIQUE,
    share_pct  numeric(5, 2) NOT NULL CHECK (share_pct BETWEEN 0 AND 100),
    seats      integer       NOT NULL CHECK (seats > 0)
);

CREATE TABLE evening_sale (
    show_id    integer       NOT NULL REFERENCES guest_show,
    played_on  date          NOT NULL,
    price_eur  numeric(8, 2) NOT NULL CHECK (price_eur >= 0),
    tickets    integer       NOT NULL CHECK (tickets >= 0),
    PRIMARY KEY (show_id, played_on, price_eur)
);

CREATE VIEW takings AS
SELECT show_id, sum(price_eur * tickets) AS takings_eur
  FROM evening_sale
 GROUP BY show_id;

CREATE VIEW settlement AS
SELECT g.company, t.takings_eur, g.share_pct,
       round(t.takings_eur * g.share_pct / 100, 2) AS due_eur
  FROM guest_show g
  JOIN takings t USING (show_id);

CREATE VIEW how_full AS
SELECT g.company, s.played_on, sum(s.tickets)::real / g.seats AS filled
  FROM guest_show g
  JOIN evening_sale s USING (show_id)
 GROUP BY g.show_id, s.played_on;
