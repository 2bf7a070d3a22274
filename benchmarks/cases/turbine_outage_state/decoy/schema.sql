CREATE TABLE turbine (
    tag   varchar(8) PRIMARY KEY,
    state varchar(12) NOT NULL DEFAULT 'new',   
    since timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE turbine_history (
    tag   varchar(8) NOT NULL REFERENCES turbine,
    state varchar(12) NOT NULL,
    why   text,
    at    timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION set_state(which text, becomes text, reason text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE turbine SET state = becomes, since = now() WHERE tag = which;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no turbine %', which;
    END IF;
    INSERT INTO turbine_history (tag, state, why) VALUES (which, becomes, reason);
END
$$;

CREATE FUNCTION start_turbine(which text) RETURNS void
LANGUAGE sql AS $$ SELECT set_state(which, 'in_operation', NULL) $$;

CREATE FUNCTION stop_turbine(which text, reason text) RETURNS void
LANGUAGE sql AS $$ SELECT set_state(which, CASE reason WHEN 'storm' THEN 'parked' ELSE 'stopped' END, reason) $$;

CREATE FUNCTION retire_turbine(which text) RETURNS void
LANGUAGE sql AS $$ SELECT set_state(which, 'retired', 'end of life') $$;   

GRANT SELECT, INSERT, UPDATE ON turbine TO app;
GRANT SELECT, INSERT ON turbine_history TO app;
