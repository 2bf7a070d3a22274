-- Until now every list had to name a group. Base prices are rows without one.
ALTER TABLE catalog.product_price
    ALTER COLUMN customer_group_id DROP NOT NULL,
    DROP CONSTRAINT product_price_key,
    ADD CONSTRAINT product_price_key UNIQUE NULLS NOT DISTINCT (product_id, customer_group_id, valid_from);

CREATE VIEW catalog.base_price AS
    SELECT product_id, valid_from, net_cents
      FROM catalog.product_price
     WHERE customer_group_id IS NULL;
