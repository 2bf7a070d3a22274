CREATE TABLE events (
    id uuid PRIMARY KEY,
    capacity int NOT NULL CHECK (capacity > 0),
    seats_remaining int NOT NULL DEFAULT 0, -- never negative
    CONSTRAINT seats_remaining_not_negative CHECK (seats_remaining <= capacity)
);
