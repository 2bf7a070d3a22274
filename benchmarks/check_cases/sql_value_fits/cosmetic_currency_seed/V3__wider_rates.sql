-- too late: the seed before has failed
alter table currency alter column rate_to_eur type numeric(12,4);
