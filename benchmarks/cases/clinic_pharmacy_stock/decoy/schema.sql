CREATE DOMAIN units_on_shelf AS integer CHECK (VALUE >= 0);

CREATE TABLE medicines (
    medicine_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL UNIQUE,
    on_hand      units_on_shelf NOT NULL DEFAULT 0
);

CREATE TABLE deliveries (
    delivery_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    medicine_id  bigint NOT NULL REFERENCES medicines,
    units        integer NOT NULL CHECK (units > 0),
    batch        text NOT NULL,
    arrived_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE dispensings (
    dispensing_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    medicine_id    bigint NOT NULL REFERENCES medicines,
    units          integer NOT NULL CHECK (units > 0),
    patient        text NOT NULL,
    given_at       timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION put_on_shelf() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE medicines SET on_hand = on_hand + NEW.units WHERE medicine_id = NEW.medicine_id;
    RETURN NEW;
END;
$$;

CREATE FUNCTION take_from_shelf() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE medicines SET on_hand = on_hand - NEW.units WHERE medicine_id = NEW.medicine_id;
    RETURN NEW;
END;
$$;

CREATE TRIGGER delivered AFTER INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION put_on_shelf();
CREATE TRIGGER dispensed AFTER INSERT ON dispensings FOR EACH ROW EXECUTE FUNCTION take_from_shelf();
