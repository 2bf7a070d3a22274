alter table metering.readings
    alter column reading_kwh type bigint using reading_kwh::bigint;
