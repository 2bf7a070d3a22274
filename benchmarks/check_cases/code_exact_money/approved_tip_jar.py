from decimal import Decimal


class TipJar:
    """Tips of an evening, shared among the waiters."""

    def __init__(self):
        self.tips = Decimal(0)

    def put(self, euros):
        self.tips += Decimal(euros)

    def share(self, waiters):
        return self.tips / len(waiters)
