CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS discount_rule_once
    ON discount_rule (campaign_id, product_group, store_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS discount_rule_store
    ON discount_rule (store_id)
 WHERE store_id IS NOT NULL;

-- What the tills ask: a rule of the store goes before the one for all stores.
CREATE FUNCTION permille_for(p_campaign integer, p_group text, p_store integer) RETURNS smallint
LANGUAGE sql STABLE
RETURN (
    SELECT r.permille
      FROM discount_rule r
     WHERE r.campaign_id = p_campaign
       AND r.product_group = p_group
       AND (r.store_id = p_store OR r.store_id IS NULL)
     ORDER BY r.store_id NULLS LAST
     LIMIT 1
);
