CREATE TABLE incoming (id bigint, amount numeric(10,2)); CREATE TABLE outgoing (id bigint, amount numeric(10,2));
CREATE VIEW cashflow AS
SELECT id, amount FROM incoming UNION ALL
SELECT id, -amount::float8 FROM outgoing;
