CREATE TABLE contact_point (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id integer NOT NULL REFERENCES client,
    kind      text NOT NULL CHECK (kind IN ('phone', 'mobile')),
    number    text NOT NULL,
    UNIQUE (client_id, kind, number)
);

-- every number moves, of open and of closed files
CREATE TEMP TABLE moving AS
SELECT c.id AS client_id, n.kind, n.number
FROM client c
CROSS JOIN LATERAL (VALUES ('phone', c.phone), ('mobile', c.mobile)) AS n (kind, number);

DELETE FROM moving WHERE number IS NULL;
INSERT INTO contact_point (client_id, kind, number) SELECT client_id, kind, number FROM moving;
DROP TABLE moving;

ALTER TABLE client
    DROP COLUMN phone,
    DROP COLUMN mobile;

CREATE INDEX contact_point_number ON contact_point (number);
