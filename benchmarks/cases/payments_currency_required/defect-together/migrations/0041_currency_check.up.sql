alter table payments add constraint payments_currency_given check (currency is not null) not valid;
alter table payments validate constraint payments_currency_given;
alter table payments alter column currency set not null;
alter table payments drop constraint payments_currency_given;
