alter table payments alter column currency set not null;
