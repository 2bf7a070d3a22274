import json


def book(text, ledger):
    entry = json.loads(text)
    ledger.cents = ledger.cents + entry["amount_cents"]
    return ledger.cents
