ALTER FUNCTION inv.apply_movement()
    SECURITY DEFINER
    SET search_path = inv, pg_temp;
