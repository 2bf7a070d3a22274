create table currency (
    code        character(3) primary key,
    name        character varying(16) not null,
    rate_to_eur numeric(6,4) not null default 1.0000 check (rate_to_eur > 0)  -- checked
);
