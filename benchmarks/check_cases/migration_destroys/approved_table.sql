CREATE TABLE plans_kept AS TABLE subscriptions;
DO $$
BEGIN
    IF (SELECT count(*) FROM plans_kept) <> (SELECT count(*) FROM subscriptions) THEN
        RAISE EXCEPTION 'rows are missing';
    END IF;
END $$;
DROP TABLE subscriptions;
