CREATE TABLE huts (
    hut_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    altitude_m  integer NOT NULL CHECK (altitude_m BETWEEN 0 AND 5000)
);

CREATE TABLE clubs (
    club_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text NOT NULL UNIQUE
);

CREATE TABLE tariffs (
    tariff_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hut_id       bigint NOT NULL REFERENCES huts,
    bed_kind     text NOT NULL CHECK (bed_kind IN ('dormitory', 'room', 'winter room')),
    club_id      bigint REFERENCES clubs,
    price_cents  integer NOT NULL CHECK (price_cents >= 0),
    CONSTRAINT one_tariff UNIQUE (hut_id, bed_kind, club_id)
);

CREATE UNIQUE INDEX one_club_tariff ON tariffs (hut_id, bed_kind, club_id) WHERE club_id IS NOT NULL;

COMMENT ON COLUMN tariffs.club_id IS 'Members of this club; empty for the general tariff of the hut.';
