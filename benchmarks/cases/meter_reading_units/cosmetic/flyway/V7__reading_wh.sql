alter table metering.readings add column reading_wh bigint;

comment on column metering.readings.reading_wh is 'whole watt hours, as reported by the meter';

alter table metering.readings
    add constraint reading_wh_not_negative check (reading_wh >= 0) not valid;
