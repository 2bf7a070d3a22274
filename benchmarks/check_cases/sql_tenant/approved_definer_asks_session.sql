CREATE TABLE sales (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id int NOT NULL,
    sold_on date NOT NULL,
    cents bigint NOT NULL
);
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY sales_shop ON sales USING (shop_id = current_setting('app.shop')::int);
GRANT SELECT ON sales TO dash;

CREATE FUNCTION turnover(p_shop int, p_from date, p_to date) RETURNS TABLE (day date, cents numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF p_shop IS DISTINCT FROM current_setting('app.shop')::int THEN
        RAISE EXCEPTION 'not your shop' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT s.sold_on, sum(s.cents) FROM sales s
    WHERE s.shop_id = p_shop AND s.sold_on BETWEEN p_from AND p_to
    GROUP BY s.sold_on ORDER BY 1;
END $$;
REVOKE ALL ON FUNCTION turnover(int, date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turnover(int, date, date) TO dash;
