from decimal import Decimal


class Campaign:
    goal = 5000

    def __init__(self):
        self.donations = []

    def give(self, donor, amount):
        self.donations.append((donor, Decimal(amount)))

    def raised(self):
        return sum((amount for _, amount in self.donations), Decimal(0))
