from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal


PAGE_WIDTH_POINTS = 595.28
COLUMNS = {"text": 0.62, "hours": 0.14, "rate": 0.24}


def _number(text):
    return Decimal(text.strip().replace(",", "."))


def _cents(value):
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Line:
    text: str
    hours: str
    rate: str

    def amount(self):
        return _cents(_number(self.hours) * _number(self.rate))


@dataclass
class Invoice:
    number: str
    tax_percent: str = "19"
    lines: list[Line] = field(default_factory=list)

    def add(self, text, hours, rate):
        self.lines.append(Line(text, hours, rate))
        return self

    def totals(self):
        """Return net, tax and gross in euros."""
        net = sum((line.amount() for line in self.lines), Decimal("0.00"))
        tax = _cents(net * _number(self.tax_percent) / 100)
        return {"net": net, "tax": tax, "gross": net + tax}

    def column_widths(self, margin=42.5):
        """Return the widths of the printed columns in points."""
        inner = PAGE_WIDTH_POINTS - 2 * margin
        return {name: round(inner * share, 1) for name, share in COLUMNS.items()}
