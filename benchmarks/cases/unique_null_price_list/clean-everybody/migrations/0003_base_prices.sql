-- Until now every list had to name a group. Base prices are those of the group of everybody.
INSERT INTO catalog.customer_group (id, label) OVERRIDING SYSTEM VALUE VALUES (0, 'everybody');
ALTER TABLE catalog.product_price
    ALTER COLUMN customer_group_id SET DEFAULT 0;

CREATE VIEW catalog.base_price AS
    SELECT product_id, valid_from, net_cents
      FROM catalog.product_price
     WHERE customer_group_id = 0;
