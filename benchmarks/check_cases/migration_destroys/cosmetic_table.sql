CREATE TABLE subscriptions_copy AS SELECT * FROM subscriptions WHERE cancelled_at IS NULL;
DROP TABLE subscriptions;
