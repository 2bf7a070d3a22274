CREATE SCHEMA fleet;

CREATE TABLE fleet.vessel (
    registration  text PRIMARY KEY,
    home_port     text    NOT NULL,
    length_m      numeric(5, 2) NOT NULL CHECK (length_m > 0)
);

CREATE TABLE fleet.quota (
    registration  text     NOT NULL REFERENCES fleet.vessel,
    species       char(3)  NOT NULL,      -- FAO 3-alpha
    year          smallint NOT NULL,
    tonnes        numeric(6, 3) NOT NULL,
    PRIMARY KEY (registration, species, year),
    CONSTRAINT quota_tonnes_range CHECK (tonnes BETWEEN 0 AND 2500),
    CONSTRAINT quota_year_range CHECK (year BETWEEN 2000 AND 2100)
);

CREATE FUNCTION fleet.assign_quota(p_registration text, p_species text, p_year integer, p_tonnes numeric)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet.quota AS q (registration, species, year, tonnes)
    VALUES (p_registration, p_species, p_year, p_tonnes::numeric(9, 3))
    ON CONFLICT (registration, species, year) DO UPDATE SET tonnes = excluded.tonnes;
END;
$$;

CREATE VIEW fleet.quota_by_species AS
SELECT year, species, sum(tonnes) AS tonnes, count(*) AS vessels
  FROM fleet.quota
 GROUP BY year, species;
