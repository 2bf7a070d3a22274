alter table payments alter column currency set not null;
alter table payments drop constraint payments_currency_given;
