alter table currency alter column rate_to_eur type numeric(12,4);
