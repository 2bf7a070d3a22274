from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> Decimal:
    """Round as the tax office does."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class CourseLine:
    title: str
    lessons: int
    price: Decimal
    minutes_per_lesson: int = 45

    @property
    def amount(self) -> Decimal:
        return self.lessons * self.price

    @property
    def hours(self) -> float:
        """For the timetable at the foot of the invoice."""
        return self.lessons * self.minutes_per_lesson / 60


@dataclass(frozen=True)
class Invoice:
    lines: tuple[CourseLine, ...]
    discount_percent: Decimal = Decimal(0)
    vat_percent: Decimal = Decimal(21)

    @property
    def net(self) -> Decimal:
        total = sum((line.amount for line in self.lines), Decimal(0))
        return to_cents(total * (100 - self.discount_percent) / 100)

    @property
    def gross(self) -> Decimal:
        factor = 1 + float(self.vat_percent) / 100
        return to_cents(self.net * Decimal(factor))

    @property
    def vat(self) -> Decimal:
        return self.gross - self.net

    def text(self) -> str:
        rows = [f"{line.title:<30}{line.hours:>6.1f} h{line.amount:>12}" for line in self.lines]
        rows.append(f"{'Net':<38}{self.net:>12}")
        rows.append(f"{'VAT':<38}{self.vat:>12}")
        rows.append(f"{'To pay':<38}{self.gross:>12}")
        return "\n".join(rows)
