import math
from collections import defaultdict


class UnknownPerson(KeyError):
    pass


def _cents(text):
    euros, _, cents = text.partition(".")
    return int(euros) * 100 + int(cents.ljust(2, "0")[:2])


def _text(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _share(amount, people):
    """Return what each of `people` owes of `amount`."""
    part, left = divmod(amount, len(people))
    return {person: part + (place < left) for place, person in enumerate(people)}


def settle(expenses, people):
    """Return the balance of everybody: positive for who gets money back."""
    balances = defaultdict(int)
    for payer, text, sharers in expenses:
        if payer not in people or not set(sharers) <= set(people):
            raise UnknownPerson(payer)
        amount = _cents(text)
        balances[payer] += amount
        for person, part in _share(amount, sharers).items():
            balances[person] -= part
    return {person: _text(balances[person]) for person in people}


def bubble_radius(evenings_cooked, smallest=8.0, largest=40.0):
    """Return the radius of a person's bubble on the cooking chart, in pixels."""
    return min(largest, smallest + math.sqrt(evenings_cooked) * 4.5)
