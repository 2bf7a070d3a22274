class TipJar:
    """Tips of an evening, shared among the waiters."""

    def __init__(self):
        self.tips = 0.0

    def put(self, euros):
        self.tips += float(euros)

    def share(self, waiters):
        return self.tips / len(waiters)
