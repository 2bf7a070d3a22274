"""The journal in the ledger's database: a table beside the log, written by the thread that writes the log.

So a step is as durable as a receipt, and steps that wait together are committed together. It must never become part
of the log: nothing here is signed, and all of it can be erased.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from squads.adapters.journal_rows import TURN_MAX, Key, is_name, key_of
from squads.contracts.thinking import Step

_FIND: Final = "SELECT payload FROM step WHERE about = ? AND kind = ? AND input = ? AND turn = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStep:
    """Work for the store: keep one step, unless there is one under its key."""

    key: Key
    step: Step

    @property
    def size_bytes(self) -> int:
        """About what it adds to the database."""
        return len(self.step.payload)

    def apply(self, connection: sqlite3.Connection) -> Step:
        """Insert it, inside the caller's transaction, and return the step that is kept."""
        cursor = connection.execute(
            "INSERT INTO step (about, kind, input, turn, payload) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*self.key, self.step.payload),
        )
        if cursor.rowcount:
            return self.step
        (payload,) = connection.execute(_FIND, self.key).fetchone()
        return self.step.but(payload=payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSteps:
    """Work for the store: remove a request's steps."""

    about: str

    @property
    def size_bytes(self) -> int:
        """Nothing is added."""
        return 0

    def apply(self, connection: sqlite3.Connection) -> int:
        """Remove them, inside the caller's transaction; return how many there were."""
        return connection.execute("DELETE FROM step WHERE about = ?", (self.about,)).rowcount


class SqliteJournal:
    """A `Journal` in the ledger's own database; erasing overwrites the steps there and in the WAL."""

    def __init__(
        self,
        submit: Callable[[KeepStep | EraseSteps, int], Awaitable[Any]],
        rows: Callable[[str, tuple[Any, ...]], Awaitable[list[tuple[Any, ...]]]],
    ) -> None:
        """Share the ledger's threads.

        Args:
            submit: Hands work to the writer, with how many entries it counts for; returns when it is durable.
            rows: Returns what a query finds.
        """
        self._submit = submit
        self._rows = rows

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None. Raises `StorageUnavailable`."""
        if not (is_name(about) and kind.isascii() and digest.isascii() and 1 <= turn <= TURN_MAX):
            return None
        rows = await self._rows(_FIND, (about, kind, digest, turn))
        return Step(kind=cast("Any", kind), input=digest, turn=turn, payload=rows[0][0]) if rows else None

    async def put(self, about: str, step: Step) -> Step:
        """Keep a step unless there is one for its kind, input and turn; return the kept one when it is durable.

        A step whose caller is cancelled while it is queued is written all the same.
        """
        return cast("Step", await self._submit(KeepStep(key=key_of(about, step), step=step), 1))

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        return cast("int", await self._submit(EraseSteps(about=about), 1)) if is_name(about) else 0
