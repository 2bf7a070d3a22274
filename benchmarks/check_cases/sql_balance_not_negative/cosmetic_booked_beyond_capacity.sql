CREATE TABLE ferry_run (
    run_no    bigint PRIMARY KEY,
    car_decks integer NOT NULL CHECK (car_decks > 0),
    loaded    integer NOT NULL DEFAULT 0 CHECK (loaded >= 0)
);

CREATE FUNCTION load_cars(p_run bigint, p_cars integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r ferry_run%ROWTYPE;
BEGIN
    SELECT * INTO r FROM ferry_run WHERE run_no = p_run FOR SHARE;
    IF r.loaded + p_cars > r.car_decks THEN
        RAISE EXCEPTION 'run % takes no more cars', p_run;
    END IF;
    UPDATE ferry_run SET loaded = loaded + p_cars WHERE run_no = p_run;
END $$;
