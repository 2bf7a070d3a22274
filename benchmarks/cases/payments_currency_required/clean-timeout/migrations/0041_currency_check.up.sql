set local lock_timeout = '2s';

alter table payments add constraint payments_currency_given check (currency is not null) not valid;
