import sys
from decimal import ROUND_HALF_UP, Decimal

sys.path.insert(0, "artifact")
from invoices.totals import Invoice

CENT = Decimal("0.01")


def exact(lines, percent):
    net = sum((Decimal(h) * Decimal(r)).quantize(CENT, ROUND_HALF_UP) for h, r in lines)
    tax = (net * Decimal(percent) / 100).quantize(CENT, ROUND_HALF_UP)
    return {"net": net, "tax": tax, "gross": net + tax}


def ours(lines, percent):
    invoice = Invoice("2031-1", percent)
    for hours, rate in lines:
        invoice.add("work", hours, rate)
    return {name: Decimal(str(value)) for name, value in invoice.totals().items()}


if ours([("2", "100")], "19") != {"net": 200, "tax": 38, "gross": 238}:
    sys.exit("two hours at 100 are not right")
wrong = []
for quarter in range(1, 80):
    lines = [(str(Decimal(quarter) / 4), "85.10"), ("0.5", "19.99"), ("1.25", "0.10"), ("1.5", "1.15")]
    if ours(lines, "19") != exact(lines, "19"):
        wrong.append(lines)
if wrong:
    print(f"{len(wrong)} of 79 invoices are not exact, such as {ours(wrong[0], '19')}")
    sys.exit(10)
