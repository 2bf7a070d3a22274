CREATE TABLE bookings (id bigint PRIMARY KEY, due numeric(8, 2) NOT NULL);
COMMENT ON COLUMN bookings.due IS 'What the guest still owes, in EUR.';
