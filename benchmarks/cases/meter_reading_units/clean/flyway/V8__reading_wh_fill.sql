update metering.readings set reading_wh = reading_kwh * 1000;
