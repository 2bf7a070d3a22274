class Campaign:
    goal = 5000

    def __init__(self):
        self.donations = []

    def give(self, donor, amount):
        self.donations.append((donor, round(float(amount), 2)))

    def raised(self):
        return round(sum(amount for _, amount in self.donations), 2)
