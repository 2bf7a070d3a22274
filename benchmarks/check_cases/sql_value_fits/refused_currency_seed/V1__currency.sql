create table currency (
    code        char(3) primary key,
    name        varchar(16) not null,
    rate_to_eur decimal(6,4) not null default 1
);
