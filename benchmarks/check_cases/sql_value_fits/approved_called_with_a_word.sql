CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action varchar(30) NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE PROCEDURE note(p_action text) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (action) VALUES (p_action);
END $$;
CREATE TABLE booking (id bigint PRIMARY KEY, state text NOT NULL CHECK (state IN ('a', 'b')));
CREATE FUNCTION cancel(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE booking SET state = 'b' WHERE id = p_id;
    CALL note('booking_cancelled');
END $$;
