class Account:
    """A user's account, with its storage."""

    def __init__(self, quota: float):
        self.total = 0.0
        self.quota = quota

    def upload(self, amount: float):
        self.total += amount
        return self.total <= self.quota
