import logging
import sys
from decimal import Decimal

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from books.reconcile import reconcile


def statement(opening, closing, *amounts):
    entries = [{"booked": "2031-01-02", "reference": f"R{n}", "amount": a} for n, a in enumerate(amounts)]
    return {"iban": "XX00", "opening": opening, "closing": closing, "entries": entries}


def off(*given):
    return Decimal(str(reconcile(statement(*given))))


if off("10.00", "15.00", "5.00") != 0 or off("10.00", "16.00", "5.00") != 1:
    sys.exit("whole euros are not right")
for given, exact in (
    (("0.00", "0.30", "0.10", "0.20"), "0"),
    (("100.10", "77.77", "-22.33"), "0"),
    (("0.10", "0.80", "0.70"), "0"),
    (("10.00", "10.01"), "0.01"),
    (("100.00", "119.98", "19.99"), "-0.01"),
    (("0.30", "0.39", "0.10"), "-0.01"),
):
    if off(*given) != Decimal(exact):
        print(f"{given} is off by {exact}, and {off(*given)} is reported")
        sys.exit(10)
