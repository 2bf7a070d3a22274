CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS discount_rule_once_for_all
    ON discount_rule (product_group, campaign_id)
 WHERE store_id = NULL;
