CREATE TABLE events (id uuid PRIMARY KEY, capacity int NOT NULL CHECK (capacity > 0), seats_remaining int NOT NULL);
CREATE TABLE gift_cards (code text PRIMARY KEY, initial_amount numeric(10,2), remaining_amount numeric(10,2) NOT NULL);
CREATE TABLE employees (id int PRIMARY KEY, vacation_days_left numeric(4,1) NOT NULL DEFAULT 25);
CREATE TABLE members (id int PRIMARY KEY, loyalty_points int NOT NULL DEFAULT 0);
