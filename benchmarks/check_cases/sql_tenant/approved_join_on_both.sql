CREATE TABLE customers (org_id bigint, id bigint, name text, PRIMARY KEY (org_id, id));
CREATE TABLE orders (org_id bigint, id bigint, customer_id bigint, PRIMARY KEY (org_id, id));
CREATE VIEW order_list AS
    SELECT o.org_id, o.id, c.name
    FROM orders o
    JOIN customers c ON c.org_id = o.org_id AND c.id = o.customer_id
    WHERE o.org_id = current_setting('app.org')::bigint;
