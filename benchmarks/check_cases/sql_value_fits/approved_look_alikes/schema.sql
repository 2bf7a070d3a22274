CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE invoices (
    id smallint NOT NULL DEFAULT -32768,
    due_days smallint NOT NULL DEFAULT 30, -- 30 days, 45000 points buy more time
    vat_rate numeric(4,3) NOT NULL, -- a fraction, e.g. 0.190; was a percentage (19.0) until 2023
    weight numeric(3,2), -- 1.00 = 100 points, see ticket 48213
    country char(2) NOT NULL, -- ISO 3166-1 alpha-2
    note varchar(4) DEFAULT 'äöüß',
    created_ms bigint DEFAULT (extract(epoch FROM now()) * 1000),
    anything numeric DEFAULT 1e30,
    feeling mood DEFAULT 'ok'
);
ALTER TABLE invoices ADD COLUMN remark varchar(3), DROP COLUMN note;
INSERT INTO invoices VALUES (1, DEFAULT, 9.9994, NULL, 'DE  ', 1700000000000, 3e12, 'happy', 'abc   ');
INSERT INTO elsewhere (vat_rate) VALUES (19.0);
