from decimal import Decimal


class Savings:
    def __init__(self, balance: Decimal, yearly_percent: float):
        self.balance = balance
        self.yearly_percent = yearly_percent

    def month_end(self):
        earned = float(self.balance) * self.yearly_percent / 1200
        self.balance += Decimal(str(round(earned, 2)))
        return self.balance
