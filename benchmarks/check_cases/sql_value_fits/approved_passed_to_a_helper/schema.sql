CREATE TABLE permit (
    no text PRIMARY KEY,
    stand varchar(30) NOT NULL DEFAULT 'neu'
);
