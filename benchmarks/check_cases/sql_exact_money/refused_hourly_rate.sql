CREATE TABLE craftsman (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    hourly_rate real NOT NULL,
    rating real
);
