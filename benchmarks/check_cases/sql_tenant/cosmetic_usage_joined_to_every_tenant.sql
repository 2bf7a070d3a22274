CREATE TABLE tenants (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int NOT NULL REFERENCES tenants (id),
    season int NOT NULL,
    kg numeric(10, 1) NOT NULL
);
CREATE FUNCTION usage_of_season(p_tenant int, p_season int) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
    total numeric;
BEGIN
    SELECT coalesce(sum(d.kg), 0) INTO total
      FROM deliveries d JOIN tenants e ON e.id = d.tenant_id
     WHERE d.season = p_season AND tenant_id = e.id;
    RETURN total;
END;
$$;
