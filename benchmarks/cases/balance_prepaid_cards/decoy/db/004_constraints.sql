-- Cards of the old system were a few cents below zero here and there, and are looked at by hand.
ALTER TABLE canteen.card
    ADD CONSTRAINT card_not_overdrawn CHECK (balance_cents >= 0) NOT VALID;
