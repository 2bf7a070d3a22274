CREATE TABLE tickets (id bigint PRIMARY KEY, org_id bigint NOT NULL, state text NOT NULL);
CREATE FUNCTION open_tickets(p_org_id bigint) RETURNS SETOF tickets LANGUAGE sql STABLE AS $$
    SELECT * FROM tickets WHERE org_id = p_org_id AND state = 'open'
$$;
CREATE FUNCTION close_ticket(p_org_id bigint, p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets SET state = 'closed' WHERE id = p_id AND org_id = p_org_id;
END $$;
