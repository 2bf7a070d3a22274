class Kiosk:
    BONUS = {"student": 0.1, "staff": 0.05}

    def __init__(self, ledger):
        self.ledger = ledger

    def top_up(self, card, paid_cents):
        credit = paid_cents + int(paid_cents * self.BONUS.get(card.kind, 0))
        self.ledger.book(card.number, credit)
        return credit
