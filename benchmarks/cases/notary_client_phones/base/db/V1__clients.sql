CREATE TABLE client (
    id        integer PRIMARY KEY,
    name      text NOT NULL,
    closed_on date,
    phone     text,
    mobile    text
);
