from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 28


@dataclass(frozen=True)
class Loan:
    card: str
    signature: str
    branch: str
    since: date
    renewals: int = 0
    dues_cents: int = 0

    @property
    def due(self) -> date:
        return self.since + timedelta(days=DAYS * (1 + self.renewals))
