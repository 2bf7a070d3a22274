class TipJar:
    """Tips of an evening, shared among the waiters."""

    def __init__(self):
        self.tips = float("0")

    def put(self, euros):
        self.tips = round(self.tips + float(euros), 2)

    def share(self, waiters):
        return round(self.tips / len(waiters), 2)
