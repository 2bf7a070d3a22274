import sys
from decimal import Decimal
from fractions import Fraction

sys.path.insert(0, "artifact")
from school.invoice import CourseLine, Invoice


def rounded(exact):
    cents = exact * 100
    return Decimal((cents * 2 + 1) // 2) / 100


for discount in (Decimal(0), Decimal(5), Decimal("12.5")):
    for vat in (Decimal(5), Decimal(10), Decimal(21)):
        for cents in range(1005, 2600, 15):
            price = Decimal(cents) / 100
            invoice = Invoice((CourseLine("A1", 3, price), CourseLine("Exam", 1, Decimal("0.10"))), discount, vat)
            net = rounded((3 * Fraction(price) + Fraction(1, 10)) * (100 - Fraction(discount)) / 100)
            gross = rounded(Fraction(net) * (100 + Fraction(vat)) / 100)
            if (invoice.net, invoice.gross, invoice.vat) != (net, gross, gross - net):
                print(f"{price} less {discount} % with {vat} %: {invoice.net} {invoice.gross}, not {net} {gross}")
                sys.exit(10)
