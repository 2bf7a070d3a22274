from collections import defaultdict

MARGIN_PERCENT = 5


class Overfished(Exception):
    pass


class Ledger:
    """What each boat may still land of a species, in kilograms."""

    def __init__(self, quotas: dict[tuple[str, str], int]) -> None:
        self._quotas = dict(quotas)
        self._landed: defaultdict[tuple[str, str], int] = defaultdict(int)

    def land(self, boat: str, species: str, kilograms: int) -> None:
        """Book a landing; up to the margin above the quota is still booked."""
        key = (boat, species)
        limit = self._quotas.get(key, 0) * (100 + MARGIN_PERCENT) // 100
        if self._landed[key] + kilograms > limit:
            raise Overfished(f"{boat}: {species}")
        self._landed[key] += kilograms

    def left(self, boat: str, species: str) -> int:
        key = (boat, species)
        return max(self._quotas.get(key, 0) - self._landed[key], 0)
