alter table ledger_entries
    alter column debit  type numeric(20,2),
    alter column credit type numeric(20,2);

alter table ledger_entries
    add column fx_rate double precision,
    add column amount_confidence real,
    add column fee_weight_kg double precision,
    add column original_amount numeric(20,2);

create view ledger_balances as
select account_no, sum(debit) - sum(credit) as balance
  from ledger_entries
 group by account_no;
