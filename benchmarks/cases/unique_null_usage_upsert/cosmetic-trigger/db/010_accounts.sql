CREATE TABLE account (
    account_id bigint PRIMARY KEY,
    plan       text NOT NULL CHECK (plan IN ('free', 'team', 'enterprise'))
);
