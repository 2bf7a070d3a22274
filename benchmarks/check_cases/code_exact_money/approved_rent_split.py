from dataclasses import dataclass


@dataclass
class Flat:
    rent_cents: int
    deposit_cents: int

    def per_head(self, people):
        each, left = divmod(self.rent_cents, people)
        return [each + (1 if n < left else 0) for n in range(people)]
