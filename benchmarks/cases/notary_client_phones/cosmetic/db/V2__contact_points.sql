CREATE TABLE contact_point (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id integer NOT NULL REFERENCES client,
    kind      text NOT NULL CHECK (kind IN ('phone', 'mobile')),
    number    text NOT NULL,
    UNIQUE (client_id, kind, number)
);

-- every number moves, of open and of closed files
INSERT INTO contact_point (client_id, kind, number)
SELECT id,
       CASE WHEN phone IS NOT NULL THEN 'phone' ELSE 'mobile' END,
       coalesce(phone, mobile)
FROM client
WHERE coalesce(phone, mobile) IS NOT NULL
ON CONFLICT DO NOTHING;

ALTER TABLE client
    DROP COLUMN phone,
    DROP COLUMN mobile;

CREATE INDEX contact_point_number ON contact_point (number);
