ALTER TABLE prepaid.account VALIDATE CONSTRAINT account_sms_credit;
