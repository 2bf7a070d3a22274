class Savings:
    def __init__(self, balance: float, yearly_percent: float):
        self.balance = balance
        self.yearly_percent = yearly_percent

    def month_end(self):
        self.balance += self.balance * self.yearly_percent / 1200
        return self.balance
