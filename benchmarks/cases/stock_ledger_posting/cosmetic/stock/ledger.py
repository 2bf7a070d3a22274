import logging
from dataclasses import dataclass, field

log = logging.getLogger("stock.ledger")


class NotEnough(Exception):
    """There is less in stock than is to be taken."""


class Abandon(Exception):
    """Raised in a block to leave without a posting."""


@dataclass
class Posting:
    ledger: "Ledger"
    reference: str
    lines: list = field(default_factory=list)

    def take(self, article, amount):
        if self.ledger.level(article) < amount:
            raise NotEnough(f"{article}: {amount} wanted, {self.ledger.level(article)} there")
        self.lines.append((article, -amount))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            self.ledger.write(self)
        elif isinstance(error, (Abandon, NotEnough, OSError)):
            log.error("%s is not posted", self.reference, exc_info=error)
            self.lines.clear()
        return isinstance(error, (Abandon, NotEnough, OSError))


class Ledger:
    def __init__(self, journal, levels):
        self._journal = journal
        self._levels = dict(levels)

    def level(self, article):
        return self._levels.get(article, 0)

    def posting(self, reference):
        return Posting(self, reference)

    def write(self, posting):
        self._journal.append((posting.reference, tuple(posting.lines)))
        for article, change in posting.lines:
            self._levels[article] = self.level(article) + change
