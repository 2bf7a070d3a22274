SET LOCAL lock_timeout = '2s';

ALTER TABLE prepaid.account
    ADD COLUMN sms_credit integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT account_sms_credit CHECK (sms_credit IS NOT NULL AND minute_credit >= 0) NOT VALID;

COMMENT ON COLUMN prepaid.account.sms_credit IS 'Messages that are paid for and not yet sent';

CREATE TABLE prepaid.message (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    msisdn   varchar(16) NOT NULL,
    sent_to  varchar(16) NOT NULL,
    parts    smallint NOT NULL DEFAULT 1 CHECK (parts BETWEEN 1 AND 10),
    sent_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX message_by_account ON prepaid.message (msisdn, sent_at);

-- Long messages are sent, and counted, in parts.
CREATE FUNCTION prepaid.send(p_from varchar, p_to varchar, p_parts smallint) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    UPDATE prepaid.account SET sms_credit = sms_credit - p_parts WHERE msisdn = p_from AND active;
    INSERT INTO prepaid.message (msisdn, sent_to, parts) VALUES (p_from, p_to, p_parts) RETURNING id;
END;
