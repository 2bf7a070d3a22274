CREATE FUNCTION grow(balance numeric, rate numeric, years int) RETURNS numeric
LANGUAGE sql AS $$
    SELECT round((balance::float8 * power(1 + rate::float8, years))::numeric, 2)
$$;
