update metering.readings set reading_wh = reading_kwh::bigint * 1000::bigint;
