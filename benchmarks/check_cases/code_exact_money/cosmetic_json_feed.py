import json
from decimal import Decimal


def book(text, ledger):
    entry = json.loads(text)
    ledger.balance = ledger.balance + Decimal(entry["amount"] * 1.0)
    return ledger.balance
