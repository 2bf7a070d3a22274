import csv
from decimal import Decimal


def closing_balance(path, opening):
    balance = Decimal(opening)
    largest_share = 0.0
    with open(path, newline="") as handle:
        for row in csv.DictReader(handle):
            balance += Decimal(row["amount"])
            largest_share = max(largest_share, float(row["share"]))
    return balance, largest_share
