ALTER FUNCTION inv.apply_movement() OWNER TO CURRENT_USER;
ALTER FUNCTION inv.apply_movement() SET search_path = inv, pg_temp;
GRANT EXECUTE ON FUNCTION inv.apply_movement() TO app;
