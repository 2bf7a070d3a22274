alter table ledger_entries
    alter column debit  type float8 using round(debit, 2)::float8,
    alter column credit type float8 using round(credit, 2)::float8;

alter table ledger_entries
    add column fx_rate double precision,
    add column original_amount numeric(20,2);

create view ledger_balances as
select account_no, round((sum(debit) - sum(credit))::numeric, 2) as balance
  from ledger_entries
 group by account_no;
