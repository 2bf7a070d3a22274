"""A small signed log in lists, to be damaged by tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from squads.kernel.ports import Entry
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.leaf import encode_body
from squads.ledger.report import Report
from squads.ledger.sequence import Tail, sequence
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST, opening_entries, ticket


@dataclass
class Log:
    """Rows and notes as a medium would give them."""

    rows: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tail: Tail = field(default_factory=Tail)

    def append(self, *entries: Entry, time_ms: int = 0) -> Log:
        bodies = [encode_body(e.payload_type, e.payload, e.signatures) for e in entries]
        return self.append_bodies(bodies, time_ms)

    def append_bodies(self, bodies: list[bytes], time_ms: int = 0) -> Log:
        batch = sequence(self.tail, bodies, max(time_ms, self.tail.time_ms))
        self.rows += zip(range(batch.first_seq, batch.tail.size), batch.leaves, batch.hashes, strict=True)
        self.tail = batch.tail
        self.notes.append(sign_checkpoint(Checkpoint(ORIGIN, self.tail.size, self.tail.edge.root()), LOG_KEY))
        return self

    def verify(self, **changes: Any) -> Report:
        arguments = {"trust": TRUST, "checkpoints": self.notes, "outside": self.notes} | changes
        return verify_log(iter(self.rows), **arguments)


@pytest.fixture
def log() -> Callable[[int], Log]:
    """Make a sound log of so many receipts, a checkpoint after every two."""

    def make(size: int) -> Log:
        made = Log().append(*opening_entries(), time_ms=100)
        for number in range(2, size, 2):
            made.append(*(ticket("a", n) for n in range(number, min(number + 2, size))), time_ms=100 + number)
        return made

    return make
