from dataclasses import dataclass
from decimal import Decimal
Euro = Decimal

@dataclass(frozen=True)
class Position:
    text: str
    einzelpreis: Euro
    menge: int

    def summe(self) -> Euro:
        return self.einzelpreis * self.menge

def rechnungsbetrag(positionen: list[Position], rabatt: int) -> Euro:
    netto = sum(p.summe() for p in positionen)
    return netto - netto * rabatt / 100
