SET lock_timeout = '5s';
CREATE INDEX IF NOT EXISTS orders_customer ON orders USING btree (customer_id);
