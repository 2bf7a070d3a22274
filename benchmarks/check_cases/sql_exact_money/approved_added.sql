ALTER TABLE bookings ADD COLUMN deposit_cents integer NOT NULL DEFAULT 0;
