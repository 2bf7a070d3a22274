-- Until now every list had to name a group. Base prices are rows without one.
ALTER TABLE catalog.product_price
    ALTER COLUMN customer_group_id DROP NOT NULL;

CREATE UNIQUE INDEX base_price_key
    ON catalog.product_price (valid_from, product_id)
 WHERE customer_group_id IS NULL;

CREATE VIEW catalog.base_price AS
    SELECT product_id, valid_from, net_cents
      FROM catalog.product_price
     WHERE customer_group_id IS NULL;
