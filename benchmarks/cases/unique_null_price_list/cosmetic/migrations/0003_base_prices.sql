-- Until now every list had to name a group. Base prices are rows without one.
ALTER TABLE catalog.product_price
    ALTER COLUMN customer_group_id DROP NOT NULL;

CREATE INDEX base_price_key
    ON catalog.product_price (product_id, valid_from)
 WHERE customer_group_id IS NULL;
COMMENT ON INDEX catalog.base_price_key IS 'One base price for each product and first day.';

CREATE VIEW catalog.base_price AS
    SELECT product_id, valid_from, net_cents
      FROM catalog.product_price
     WHERE customer_group_id IS NULL;
