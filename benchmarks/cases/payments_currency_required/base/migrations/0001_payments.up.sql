create table payments (
  id bigserial primary key,
  account_id bigint not null,
  currency char(3),
  amount_minor bigint not null,
  created_at timestamptz not null default now()
);
