CREATE TABLE events (
    id uuid PRIMARY KEY,
    capacity int NOT NULL CHECK (capacity > 0),
    seats_remaining int NOT NULL CHECK (seats_remaining BETWEEN 0 AND capacity)
);
CREATE TABLE gift_cards (code text PRIMARY KEY, remaining_amount numeric(10,2) NOT NULL CHECK (NOT remaining_amount < 0));
CREATE TABLE employees (id int PRIMARY KEY, vacation_days_left numeric(4,1) NOT NULL CHECK (floor(vacation_days_left) >= 0));
CREATE TABLE members (id int PRIMARY KEY, loyalty_points int NOT NULL CHECK (loyalty_points <@ int4range(0, NULL)));
CREATE TABLE loans (id int PRIMARY KEY, remaining_amount numeric(10,2) NOT NULL);
CREATE TABLE jobs (id int PRIMARY KEY, days_remaining int, time_left int);
CREATE TABLE countries (code char(2) PRIMARY KEY, gold int, silver int, bronze int);
