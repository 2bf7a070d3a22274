import sys
from decimal import Decimal

sys.path.insert(0, "artifact")

from coop.refund import refunds, statement


def exact(surplus, purchases):
    cents = {name: int(amount.replace(".", "")) for name, amount in purchases.items()}
    whole, total = int(surplus.replace(".", "")), sum(cents.values())
    given = {name: whole * amount // total for name, amount in cents.items()}
    for name in sorted(cents, key=lambda one: (-cents[one], one))[: whole - sum(given.values())]:
        given[name] += 1
    return {name: Decimal(amount) / 100 for name, amount in given.items()}


EVEN = {"ann": "10.00", "bob": "20.00"}
if refunds("3.00", EVEN) != {"ann": 1, "bob": 2} or "bob" not in statement(refunds("3.00", EVEN)):
    sys.exit("a plain refund is wrong")
for number in range(1, 3000):
    surplus = f"{number * 37 % 9000 // 100}.{number * 37 % 100:02}"
    bought = {name: f"{number * step % 700}.{number % 10}0" for name, step in (("ann", 3), ("bob", 7), ("cem", 11))}
    bought["dora"] = "35.00"
    found, right = refunds(surplus, bought), exact(surplus, bought)
    if found != right:
        print(f"{surplus} among {bought}: {found} instead of {right}")
        sys.exit(10)
