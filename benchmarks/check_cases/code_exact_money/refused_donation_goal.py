class Campaign:
    goal = 5000

    def __init__(self):
        self.donations = []

    def give(self, donor, amount):
        self.donations.append((donor, float(amount)))

    def raised(self):
        return sum(amount for _, amount in self.donations)
