from decimal import Decimal


class TooMuch(Exception):
    """More is to be paid than is owed."""


class Payouts:
    def __init__(self, minimum="20"):
        self._due = {}
        self._minimum = float(minimum)

    def earn(self, courier, amount):
        """Book what a courier has earned."""
        value = float(amount)
        if value <= 0:
            raise ValueError(f"{amount} is nothing to earn")
        self._due[courier] = self._due.get(courier, 0.0) + value

    def due(self, courier):
        return Decimal(self._due.get(courier, 0.0))

    def pay(self, courier, amount):
        value = float(amount)
        if value > self._due.get(courier, 0.0):
            raise TooMuch(f"{courier} is owed {self.due(courier)}")
        self._due[courier] -= value

    def ready(self):
        """Return the couriers who can be paid this week."""
        return sorted(courier for courier, due in self._due.items() if due >= self._minimum)
