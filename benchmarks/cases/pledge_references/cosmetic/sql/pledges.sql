CREATE TABLE campaign (
    campaign_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug          text   NOT NULL UNIQUE,
    goal_cents    bigint NOT NULL CHECK (goal_cents > 0),
    closes_on     date   NOT NULL
);

CREATE SEQUENCE pledge_number MAXVALUE 999999;

CREATE FUNCTION next_pledge_reference() RETURNS varchar(16)
LANGUAGE sql VOLATILE AS $$
    SELECT 'CF-' || to_char(current_date, 'YYYYMMDD') || '-' || lpad(nextval('pledge_number')::text, 6, '0')
$$;

CREATE TABLE pledge (
    pledge_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id   integer     NOT NULL REFERENCES campaign,
    reference     varchar(16) NOT NULL UNIQUE DEFAULT next_pledge_reference(),
    backer_email  text        NOT NULL,
    amount_cents  bigint      NOT NULL CHECK (amount_cents >= 100),
    pledged_at    timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT ON campaign TO app;
GRANT SELECT, INSERT ON pledge TO app;
GRANT USAGE ON SEQUENCE pledge_number TO app;
