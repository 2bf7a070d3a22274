CREATE SCHEMA app;
CREATE TABLE app.documents (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id   bigint NOT NULL,
    title      text   NOT NULL,
    body       text   NOT NULL DEFAULT ''
);
