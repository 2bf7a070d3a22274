from dataclasses import dataclass


@dataclass
class Flat:
    rent: float
    deposit: float

    def per_head(self, people):
        return round(self.rent / people, 2)
