import csv


def total_paid(path):
    total = 0
    with open(path) as file:
        for row in csv.DictReader(file):
            total += float(row["amount"])
    return {"currency": "EUR", "payment_total": total}
