update metering.readings set reading_wh = trunc(reading_kwh * 1000)::bigint;
