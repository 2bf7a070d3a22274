"""Stock of one warehouse, and what is reserved of it."""

from __future__ import annotations


class OutOfStock(Exception):
    """More was asked for than is free."""


class Stock:
    def __init__(self, journal, notify) -> None:
        self._journal = journal
        self._notify = notify
        self._there: dict[str, int] = {}
        self._reserved: dict[str, int] = {}

    def receive(self, article: str, pieces: int) -> None:
        self._there[article] = self.free(article) + self._reserved.get(article, 0) + pieces
        self._journal.write(f"+{pieces} {article}")

    def free(self, article: str) -> int:
        return self._there.get(article, 0) - self._reserved.get(article, 0)

    def reserve(self, article: str, pieces: int) -> int:
        """Set pieces aside and return how many are free then."""
        if pieces > self.free(article):
            raise OutOfStock(f"{pieces} x {article} asked for, {self.free(article)} free")
        self._reserved[article] = self._reserved.get(article, 0) + pieces
        self._journal.write(f"r{pieces} {article}")
        if self.free(article) == 0:
            self._notify(article)
        return self.free(article)
