"""The journal in the ledger's schema: a table beside the log, written by the thread that writes the log.

So a step is as durable as a receipt, and steps that wait together are committed together. A step is prose: it is
encrypted with the key of its packet's subject, and goes when that subject is erased. It must never become part of the
log: nothing here is signed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from squads.adapters.journal_rows import TURN_MAX, Key, is_name, key_of, where_of
from squads.adapters.postgres_content import STEP, Keyring, count_of
from squads.adapters.vault import opened, unwrapped
from squads.contracts.errors import SubjectErased
from squads.contracts.thinking import Step

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

_FIND: Final = (
    "SELECT payload, subject, wrapped FROM step JOIN subject_key USING (subject) "
    "WHERE about = $1 AND kind = $2 AND input = $3 AND turn = $4 AND wrapped IS NOT NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStep:
    """Work for the store: keep one step, unless there is one under its key."""

    key: Key
    step: Step
    packet: str
    kek: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """About what it adds to the database."""
        return len(self.step.payload)

    async def apply(self, connection: Connection, keys: Keyring, owner: str) -> Step | SubjectErased:
        """Insert it, inside the caller's transaction, and return the step that is kept."""
        kept = _opened(self.kek, self.key, await connection.fetchrow(_FIND, *self.key))
        if kept is not None:
            return self.step.but(payload=kept)
        await keys.load(connection, [owner])
        try:
            payload = keys.close_step(owner, where_of(self.key), self.step.payload)
        except SubjectErased as error:
            return error
        await keys.write(connection, ())
        # One that does not open any more is of no use to anybody.
        await connection.execute(
            "DELETE FROM step WHERE about = $1 AND kind = $2 AND input = $3 AND turn = $4", *self.key
        )
        await connection.execute(
            "INSERT INTO step (about, kind, input, turn, subject, payload) VALUES ($1, $2, $3, $4, $5, $6)",
            *self.key,
            owner,
            payload,
        )
        return self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSteps:
    """Work for the store: remove a request's steps."""

    about: str
    size_bytes: int = 0

    async def apply(self, connection: Connection) -> int:
        """Remove them, inside the caller's transaction; return how many there were."""
        return count_of(await connection.execute("DELETE FROM step WHERE about = $1", self.about))


class PostgresJournal:
    """A `Journal` in the ledger's own schema."""

    def __init__(
        self,
        submit: Callable[[KeepStep | EraseSteps, int], Awaitable[Any]],
        rows: Callable[..., Awaitable[list[Any]]],
        content_key: bytes,
    ) -> None:
        """Share the ledger's threads.

        Args:
            submit: Hands work to the writer, with how many entries it counts for; returns when it is durable.
            rows: Returns what a query finds.
            content_key: What the subjects' keys are wrapped with.
        """
        self._submit = submit
        self._rows = rows
        self._kek = content_key

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None. Raises `StorageUnavailable`."""
        if not (is_name(about) and kind.isascii() and digest.isascii() and 1 <= turn <= TURN_MAX):
            return None
        key = (about, kind, digest, turn)
        rows = await self._rows(_FIND, *key)
        payload = _opened(self._kek, key, rows[0] if rows else None)
        return None if payload is None else Step(kind=cast("Any", kind), input=digest, turn=turn, payload=payload)

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep a step unless there is one for its kind, input and turn; return the kept one when it is durable.

        A step whose caller is cancelled while it is queued is written all the same.
        """
        work = KeepStep(key=key_of(about, step), step=step, packet=packet, kek=self._kek)
        kept = await self._submit(work, 1)
        if isinstance(kept, SubjectErased):
            raise kept
        return cast("Step", kept)

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        return cast("int", await self._submit(EraseSteps(about=about), 1)) if is_name(about) else 0


def _opened(kek: bytes, key: Key, row: Any) -> bytes | None:
    """Return a step's payload; None where there is none, or it does not open."""
    return None if row is None else opened(unwrapped(kek, row[1], row[2]), STEP + where_of(key), row[0])
