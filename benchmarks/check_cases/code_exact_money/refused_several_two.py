class Wallet:
    def __init__(self):
        self.funds = 0.0

    def top_up(self, euros: float):
        self.funds += euros

    def can_pay(self, euros: float) -> bool:
        return self.funds >= euros
