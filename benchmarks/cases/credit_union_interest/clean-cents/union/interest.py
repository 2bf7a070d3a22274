"""Interest run of the last working day."""
from dataclasses import dataclass
from fractions import Fraction


@dataclass
class Account:
    number: str
    balance_cents: int
    frozen: bool = False

    @classmethod
    def read(cls, row):
        number, balance, state = row.split(";")
        return cls(number, int(Fraction(balance) * 100), state == "F")

    def row(self):
        sign = "-" if self.balance_cents < 0 else ""
        euros, cents = divmod(abs(self.balance_cents), 100)
        return f"{self.number};{sign}{euros}.{cents:02d};{'F' if self.frozen else 'A'}"


class InterestRun:
    """Credits one month; the total is what the general ledger books against."""

    def __init__(self, rate_percent):
        self.rate = Fraction(rate_percent) / 100
        self.total_cents = 0

    def visit(self, account):
        if account.frozen or account.balance_cents <= 0:
            return
        exact = account.balance_cents * self.rate
        interest_cents = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
        account.balance_cents += interest_cents
        self.total_cents += interest_cents


def credit(rows, rate_percent):
    """Return the new rows and the sum of all interest."""
    run = InterestRun(rate_percent)
    accounts = [Account.read(row) for row in rows]
    for account in accounts:
        run.visit(account)
    return [account.row() for account in accounts], f"{run.total_cents // 100}.{run.total_cents % 100:02d}"
