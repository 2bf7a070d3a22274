import json


def book(text, ledger):
    entry = json.loads(text)
    ledger.balance = ledger.balance + entry["amount"]
    return ledger.balance
