import csv
from decimal import Decimal


def closing_balance(path, opening):
    balance = Decimal(opening)
    with open(path, newline="") as handle:
        for row in csv.DictReader(handle):
            balance += Decimal(float(row["amount"]))
    return balance
