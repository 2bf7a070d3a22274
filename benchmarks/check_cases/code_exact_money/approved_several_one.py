from decimal import Decimal


class Cart:
    def __init__(self):
        self.lines = []

    def total(self) -> Decimal:
        return sum((line.price * line.count for line in self.lines), Decimal(0))

    def weight(self) -> float:
        return sum(line.weight * line.count for line in self.lines) * 1.05
