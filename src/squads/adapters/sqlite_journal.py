"""The journal in the ledger's database: a table beside the log, written by the thread that writes the log.

So a step is as durable as a receipt, and steps that wait together are committed together. A step is prose: it is
encrypted with the key of its packet's subject, and goes when that subject is erased. It must never become part of the
log: nothing here is signed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from squads.adapters.journal_rows import TURN_MAX, Key, is_name, key_of, where_of
from squads.adapters.sqlite_content import SqliteContents, owner_in
from squads.contracts.errors import SubjectErased
from squads.contracts.thinking import Step

_FIND: Final = "SELECT payload, subject FROM step WHERE about = ? AND kind = ? AND input = ? AND turn = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStep:
    """Work for the store: keep one step, unless there is one under its key."""

    key: Key
    step: Step
    packet: str
    contents: SqliteContents

    @property
    def size_bytes(self) -> int:
        """About what it adds to the database."""
        return len(self.step.payload)

    def apply(self, connection: sqlite3.Connection) -> Step | SubjectErased:
        """Insert it, inside the caller's transaction, and return the step that is kept."""
        kept = step_in(connection, self.contents, self.key)
        if kept is not None:
            return self.step.but(payload=kept)
        try:
            subject = self.contents.subject(connection, owner_in(connection, self.packet) if self.packet else "")
        except SubjectErased as error:
            return error
        payload = self.contents.close_step(subject, where_of(self.key), self.step.payload)
        # One that does not open any more is of no use to anybody.
        connection.execute("DELETE FROM step WHERE about = ? AND kind = ? AND input = ? AND turn = ?", self.key)
        connection.execute(
            "INSERT INTO step (about, kind, input, turn, payload, subject) VALUES (?, ?, ?, ?, ?, ?)",
            (*self.key, payload, subject.id),
        )
        return self.step


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
        read: Callable[[Callable[[sqlite3.Connection], bytes | None]], Awaitable[bytes | None]],
        contents: SqliteContents,
    ) -> None:
        """Share the ledger's threads.

        Args:
            submit: Hands work to the writer, with how many entries it counts for; returns when it is durable.
            read: Runs a query on the reader's connection.
            contents: Opens and closes what is encrypted.
        """
        self._submit = submit
        self._read = read
        self._contents = contents

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None. Raises `StorageUnavailable`."""
        if not (is_name(about) and kind.isascii() and digest.isascii() and 1 <= turn <= TURN_MAX):
            return None
        key = (about, kind, digest, turn)
        payload = await self._read(lambda connection: step_in(connection, self._contents, key))
        return None if payload is None else Step(kind=cast("Any", kind), input=digest, turn=turn, payload=payload)

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep a step unless there is one for its kind, input and turn; return the kept one when it is durable.

        A step whose caller is cancelled while it is queued is written all the same.
        """
        work = KeepStep(key=key_of(about, step), step=step, packet=packet, contents=self._contents)
        kept = await self._submit(work, 1)
        if isinstance(kept, SubjectErased):
            raise kept
        return cast("Step", kept)

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        return cast("int", await self._submit(EraseSteps(about=about), 1)) if is_name(about) else 0


def step_in(connection: sqlite3.Connection, contents: SqliteContents, key: Key) -> bytes | None:
    """Return a step's payload; None where there is none, or its key was destroyed."""
    row = connection.execute(_FIND, key).fetchone()
    return None if row is None else contents.step(connection, row[1], where_of(key), row[0])
