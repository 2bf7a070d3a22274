"""What the store is given to do, and what it answers: one thing at a time, many of them in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from squads.adapters.sqlite_content import EraseContent, EraseSubject, owner_in
from squads.adapters.sqlite_journal import EraseSteps, KeepStep
from squads.adapters.sqlite_leases import LeaseWork
from squads.contracts.errors import SquadsError
from squads.contracts.thinking import Step
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import Appended, Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Work for the store: entries in their streams, and the content that they speak of."""

    streams: Sequence[str] = ()
    bodies: Sequence[bytes] = ()
    """One for each of `streams`, from `leaf.encode_body`; none where only content is stored."""
    expect: Mapping[str, int] = field(default_factory=dict)
    time_ms: int = 0
    content: Sequence[bytes] = ()
    reserve: Reservation | None = None
    settle: Settlement | None = None
    fence: Lease | None = None
    subject: str | None = None
    """Whose the content is; None is whoever the first stream belongs to."""

    @property
    def size_bytes(self) -> int:
        """About what it adds to the database."""
        return sum(map(len, self.bodies)) + sum(map(len, self.content))

    def owner(self, connection: sqlite3.Connection) -> str:
        """Return whose the content is: a packet's name stands for whoever the packet belongs to."""
        return owner_in(connection, self.streams[0] if self.subject is None else self.subject)


Work = Append | EraseContent | EraseSubject | KeepStep | EraseSteps | LeaseWork
Outcome = Appended | Step | Lease | int | SquadsError | None
"""What became of a work; an error is why it was not done."""
