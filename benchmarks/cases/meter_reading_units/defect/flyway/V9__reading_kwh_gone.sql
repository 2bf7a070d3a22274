alter table metering.readings drop column reading_kwh;
