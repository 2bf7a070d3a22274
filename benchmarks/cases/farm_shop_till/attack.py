"""Sells many small and some large things; the sum has to be exact."""

import sys
from decimal import Decimal

sys.path.insert(0, "artifact")
from till import Till

for amounts in (["0.10"] * 3, ["0.70", "0.10", "0.10"], ["90071992547409.91", "0.02"], ["19.99"] * 1000):
    till = Till(":memory:")
    for amount in amounts:
        till.sell("eggs", Decimal(amount), 0.5)
    expected = sum(map(Decimal, amounts))
    if till.takings() != expected:
        print(f"sold {expected}, takings {till.takings()}")
        sys.exit(10)
