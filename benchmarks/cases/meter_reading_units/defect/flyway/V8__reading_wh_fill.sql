update metering.readings set reading_wh = round(reading_kwh) * 1000;
