WITH gone AS (
    DELETE FROM orders WHERE placed_at < '2020-01-01' RETURNING *
)
INSERT INTO orders_archive SELECT * FROM gone;
