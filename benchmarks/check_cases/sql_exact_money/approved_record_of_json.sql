CREATE TABLE line (doc bigint NOT NULL, pos int NOT NULL, net numeric(12,2) NOT NULL, PRIMARY KEY (doc, pos));
CREATE FUNCTION put_lines(p_doc bigint, p_lines jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO line (doc, pos, net)
    SELECT p_doc, x.pos, x.net
      FROM jsonb_to_recordset(p_lines) AS x (pos int, net numeric);
$$;
