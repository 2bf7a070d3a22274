from dataclasses import dataclass, field


def _number(text):
    return float(text.strip().replace(",", "."))


def _cents(value):
    return round(value, 2)


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
        net = _cents(sum(line.amount() for line in self.lines))
        tax = _cents(net * _number(self.tax_percent) / 100)
        return {"net": net, "tax": tax, "gross": net + tax}
