from dataclasses import dataclass


@dataclass
class Flat:
    rent: "float | None"
    deposit: "float | None" = None

    def per_head(self, people):
        return int(self.rent / people * 100) / 100
