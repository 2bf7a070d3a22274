class Battery:
    """A battery in a simulation: its charge, its balance between cells, what it is due for."""

    def __init__(self, charge: float):
        self.charge = charge
        self.balance = 0.5

    def discharge(self, amount: float) -> float:
        self.charge -= amount * 0.98
        return self.charge
