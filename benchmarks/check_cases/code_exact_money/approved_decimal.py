from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

VAT = Decimal("0.19")


@dataclass
class Line:
    price: Decimal
    quantity: int

    def gross(self) -> Decimal:
        return (self.price * self.quantity * (1 + VAT)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def split(total: Decimal, customers: int) -> Decimal:
    return total / customers
