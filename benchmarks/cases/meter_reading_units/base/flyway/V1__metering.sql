create schema metering;

create table metering.meters (
    meter_no   varchar(20) primary key,
    street     varchar(120) not null
);

create table metering.readings (
    meter_no    varchar(20)  not null references metering.meters,
    read_at     timestamp    not null,
    reading_kwh numeric(12,3) not null,
    primary key (meter_no, read_at)
);
