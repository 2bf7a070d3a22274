CREATE TABLE permit (
    no text PRIMARY KEY,
    stand varchar(10) NOT NULL DEFAULT 'neu'
);
