ALTER TABLE orders DROP CONSTRAINT old_check;
ALTER TABLE orders ALTER COLUMN note SET DEFAULT '';
ALTER TABLE orders RENAME CONSTRAINT a TO b;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON orders USING (tenant_id = current_setting('app.tenant')::bigint);
COMMENT ON TABLE orders IS 'What was ordered.';
DROP INDEX CONCURRENTLY old_index;
