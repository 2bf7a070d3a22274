"""Interest run of the last working day."""
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass
class Account:
    number: str
    balance: Decimal
    frozen: bool = False

    @classmethod
    def read(cls, row):
        number, balance, state = row.split(";")
        return cls(number, Decimal(balance), state == "F")

    def row(self):
        return f"{self.number};{self.balance};{'F' if self.frozen else 'A'}"


class InterestRun:
    """Credits one month; the total is what the general ledger books against."""

    def __init__(self, rate_percent):
        self.rate = Decimal(rate_percent) / 100
        self.total = Decimal("0.00")

    def visit(self, account):
        if account.frozen or account.balance <= 0:
            return
        interest = (account.balance * self.rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
        account.balance += interest
        self.total += interest

    def pace(self, visited, seconds):
        """Return accounts per second, for the operator's screen."""
        return round(float(visited) / max(seconds, 0.001), 1)


def credit(rows, rate_percent):
    """Return the new rows and the sum of all interest."""
    run = InterestRun(rate_percent)
    accounts = [Account.read(row) for row in rows]
    for account in accounts:
        run.visit(account)
    return [account.row() for account in accounts], run.total
