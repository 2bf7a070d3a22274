CREATE TABLE bookings (id bigint PRIMARY KEY, due real NOT NULL);
COMMENT ON COLUMN bookings.due IS 'What the guest still owes, in EUR.';
