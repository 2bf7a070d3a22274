import json
from decimal import Decimal


def book(text, ledger):
    entry = json.loads(text, parse_float=Decimal)
    ledger.balance = ledger.balance + entry["amount"]
    return ledger.balance
