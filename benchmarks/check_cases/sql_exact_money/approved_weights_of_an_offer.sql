CREATE TABLE offers (id bigint PRIMARY KEY, price numeric(10,2), delivery_days int);
CREATE FUNCTION offer_rank(w_price real, w_days real) RETURNS TABLE (id bigint, points double precision) LANGUAGE sql STABLE AS $$
  SELECT id, w_price * (min(price) OVER () / price) + w_days / delivery_days FROM offers
$$;
