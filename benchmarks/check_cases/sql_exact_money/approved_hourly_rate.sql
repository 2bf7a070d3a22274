CREATE TABLE craftsman (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    hourly_rate numeric(8,2) NOT NULL,
    rating real
);
