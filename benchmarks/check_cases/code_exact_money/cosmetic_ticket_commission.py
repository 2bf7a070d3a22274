from decimal import Decimal

class Settlement:
    COMMISSION = Decimal(0.035)

    def __init__(self, sales):
        self._sales = sales

    def for_promoter(self, promoter):
        takings = sum(s.cents for s in self._sales if s.promoter == promoter)
        ours = (takings * self.COMMISSION).quantize(Decimal(1))
        return {"promoter": promoter, "payout": takings - int(ours)}
