alter table payments validate constraint payments_currency_given;
