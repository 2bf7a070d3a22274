create table payment_disputes (
  payment_id bigint primary key,
  opened_at timestamptz not null default now(),
  reason text
);
alter table payment_disputes alter column reason set not null;
