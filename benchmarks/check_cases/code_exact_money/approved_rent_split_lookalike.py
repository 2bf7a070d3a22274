from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Flat:
    rent: Decimal
    area: float
    distance_km: float

    def density(self, people):
        return people / self.area
