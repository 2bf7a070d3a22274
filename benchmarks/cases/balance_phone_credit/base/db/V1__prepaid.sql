CREATE SCHEMA prepaid;

CREATE TABLE prepaid.account (
    msisdn        varchar(16) PRIMARY KEY CHECK (msisdn ~ '^[+][0-9]{8,15}$'),
    minute_credit integer NOT NULL,
    active        boolean NOT NULL DEFAULT true,
    opened_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_minute_credit CHECK (minute_credit >= 0)
);
