import sys
from decimal import ROUND_HALF_UP, Decimal

sys.path.insert(0, "artifact")
from invoices import Line, invoice, tablets

if tablets(12.5, 2.0, 10.0) != 3 or invoice([Line("visit", 1, "20.00")]).gross != "23.80":
    sys.exit("plain invoices are not right")
for vat in ("19", "7"):
    for cents in range(1, 6000):
        price = f"{cents // 100}.{cents % 100:02d}"
        for pieces in (1, 3):
            net = Decimal(price) * pieces
            tax = (net * Decimal(vat) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
            given = invoice([Line("dose", pieces, price)], vat)
            if (given.net, given.vat, given.gross) != (f"{net:.2f}", f"{tax:.2f}", f"{net + tax:.2f}"):
                print(f"{pieces} x {price} at {vat} %: {given}, and VAT is {tax}")
                sys.exit(10)
