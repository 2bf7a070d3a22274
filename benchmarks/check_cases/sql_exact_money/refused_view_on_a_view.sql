CREATE TABLE toll (id bigint PRIMARY KEY, plate text NOT NULL, cents bigint NOT NULL, at date NOT NULL);
CREATE VIEW toll_day AS SELECT plate, at, sum(cents)::float8 / 100 AS euros FROM toll GROUP BY plate, at;
CREATE VIEW toll_month AS SELECT plate, date_trunc('month', at) AS month, sum(euros) AS euros FROM toll_day GROUP BY 1, 2;
