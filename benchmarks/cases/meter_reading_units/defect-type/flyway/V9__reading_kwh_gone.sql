alter table metering.readings rename column reading_kwh to reading_wh;
