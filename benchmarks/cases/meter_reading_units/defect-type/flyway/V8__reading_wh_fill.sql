update metering.readings set reading_kwh = reading_kwh * 1000;
