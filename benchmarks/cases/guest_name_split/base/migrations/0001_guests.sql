CREATE TABLE guests (
    guest_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_name text NOT NULL,
    passport_no text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stays (
    stay_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    guest_id bigint NOT NULL REFERENCES guests (guest_id),
    room text NOT NULL,
    arrives date NOT NULL,
    leaves date NOT NULL,
    CHECK (leaves > arrives)
);
