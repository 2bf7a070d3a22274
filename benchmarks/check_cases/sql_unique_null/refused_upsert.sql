CREATE TABLE counter (day date NOT NULL, page text NOT NULL, country char(2), hits bigint NOT NULL DEFAULT 1);
ALTER TABLE counter ADD UNIQUE (day, page, country);
INSERT INTO counter (day, page, country) VALUES (current_date, '/', NULL) ON CONFLICT (day, page, country) DO UPDATE SET hits = counter.hits + 1;
