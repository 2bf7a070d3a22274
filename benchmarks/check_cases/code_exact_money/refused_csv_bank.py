import csv


def closing_balance(path, opening):
    balance = float(opening)
    with open(path, newline="") as handle:
        for row in csv.DictReader(handle):
            balance += float(row["amount"])
    return balance
