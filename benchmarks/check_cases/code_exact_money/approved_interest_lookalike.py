from decimal import Decimal


class Savings:
    def __init__(self, balance: Decimal, yearly_percent: Decimal):
        self.balance = balance
        self.yearly_percent = yearly_percent

    def growth(self, earlier: Decimal) -> float:
        return float(self.balance / earlier - 1)
