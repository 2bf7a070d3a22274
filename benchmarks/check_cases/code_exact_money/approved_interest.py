from decimal import Decimal


class Savings:
    def __init__(self, balance: Decimal, yearly_percent: Decimal):
        self.balance = balance
        self.yearly_percent = yearly_percent

    def month_end(self):
        self.balance += (self.balance * self.yearly_percent / 1200).quantize(Decimal("0.01"))
        return self.balance
