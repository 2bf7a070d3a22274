from dataclasses import dataclass


@dataclass
class Account:
    number: str
    balance: float
    frozen: bool = False

    @classmethod
    def read(cls, row):
        number, balance, state = row.split(";")
        return cls(number, float(balance), state == "F")

    def row(self):
        return f"{self.number};{format(self.balance, '.2f')};{'F' if self.frozen else 'A'}"


class InterestRun:
    """Credits one month; the total is what the general ledger books against."""

    def __init__(self, rate_percent):
        self.rate = float(rate_percent) / 100
        self.total = 0.0

    def visit(self, account):
        if account.frozen or account.balance <= 0:
            return
        interest = account.balance * self.rate
        account.balance += interest
        self.total += interest


def credit(rows, rate_percent):
    """Return the new rows and the sum of all interest."""
    run = InterestRun(rate_percent)
    accounts = [Account.read(row) for row in rows]
    for account in accounts:
        run.visit(account)
    return [account.row() for account in accounts], run.total
