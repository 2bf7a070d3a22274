from collections import defaultdict
from decimal import Decimal


class UnknownPerson(KeyError):
    pass


def _share(amount, people):
    """Return what each of `people` owes of `amount`."""
    part = round(amount / len(people), 2)
    return {person: part for person in people}


def settle(expenses, people):
    """Return the balance of everybody: positive for who gets money back."""
    balances = defaultdict(float)
    for payer, text, sharers in expenses:
        if payer not in people or not set(sharers) <= set(people):
            raise UnknownPerson(payer)
        amount = float(text)
        balances[payer] += amount
        for person, part in _share(amount, sharers).items():
            balances[person] -= part
    return {person: Decimal(str(round(balances[person], 2))) for person in people}
