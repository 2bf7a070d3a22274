class TipJar:
    """Tips of an evening in cents, shared among the waiters."""

    def __init__(self):
        self.cents = 0
        self.opened = 0.0

    def put(self, cents, clock):
        self.cents += cents
        self.opened = clock() / 1000

    def share(self, waiters):
        return divmod(self.cents, len(waiters))
