from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Payslip:
    gross: Decimal
    pension_rate: float = 0.05

    @property
    def pension(self) -> Decimal:
        return Decimal(float(self.gross) * self.pension_rate)

    @property
    def net(self) -> Decimal:
        return self.gross - self.pension
