CREATE TABLE musicians (
    musician_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    desk          text NOT NULL,
    phone_home    text,
    phone_mobile  text
);
