import sys
from decimal import Decimal

sys.path.insert(0, "artifact")
from settle import settle

PEOPLE = ["ada", "bob", "cem"]


def balances(expenses):
    return [Decimal(str(value)) for value in settle(expenses, PEOPLE).values()]


if balances([("ada", "30.00", PEOPLE)]) != [20, -10, -10]:
    sys.exit("30.00 for three is not right")
wrong = []
for text in ("10.00", "0.10", "19.99", "100.01", "7.77"):
    given = balances([("ada", text, PEOPLE), ("bob", "0.20", PEOPLE), ("cem", "0.07", ["ada", "bob"])])
    if sum(given) != 0 or any(value * 100 != int(value * 100) for value in given):
        wrong.append((text, given))
if wrong:
    print(f"balances do not add up to nothing: {wrong[0]}")
    sys.exit(10)
