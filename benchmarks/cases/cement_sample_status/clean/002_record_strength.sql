CREATE FUNCTION record_strength(which bigint, measured numeric) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    UPDATE samples
       SET strength_mpa = measured,
           status = CASE WHEN measured >= strength_class THEN 'released' ELSE 'awaiting retest' END
     WHERE sample_id = which
    RETURNING status INTO outcome;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no sample %', which;
    END IF;
    RETURN outcome;
END;
$$;
