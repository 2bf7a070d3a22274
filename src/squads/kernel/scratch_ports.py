"""Where SQL is tried out and attacked: a database that nobody needs, made for one question and gone afterwards.

A port like those of `ports`. The oracles of `squads.bench` and the gates of kind `probe` ask it; only an adapter knows
a server. What an artifact's SQL does there is a value, never an exception: being refused by the database is what most
questions are about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

OWNER: Final = "owner"
"""The role that owns each scratch database: what an artifact's SQL is applied as. No superuser."""
APP: Final = "app"
"""The role that an application connects as; it has what the artifact grants it."""
READER: Final = "squads_reader"
"""A role that reads every table and every row, and writes nothing: who is asked what an attack came to."""
STATEMENT_SECONDS_MAX: Final = 5.0
"""How long one statement may take where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the database said to one statement."""

    ok: bool
    sqlstate: str = ""
    """PostgreSQL's five letters of an error; `57014` where the statement took too long and was cancelled."""
    message: str = ""
    rows: int = 0
    """How many rows came back, or were written."""
    records: tuple[tuple[Any, ...], ...] = ()
    """What came back of `ask`; `run` returns no records."""

    @property
    def value(self) -> Any:
        """The first column of the first row, None where there is none."""
        return self.records[0][0] if self.records and self.records[0] else None


class ScratchSession(Protocol):
    """One connection, as one role. It serves one statement at a time."""

    @property
    def role(self) -> str:
        """As whom it is connected."""
        ...

    @property
    def pid(self) -> int:
        """The number of its process on the server, as the catalogue's views have it."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, a failed one too."""
        ...

    async def run(self, sql: str, *, seconds_max: float = STATEMENT_SECONDS_MAX) -> Told:
        """Run one statement, or several that stand or fall together, and return no records."""
        ...

    async def ask(self, sql: str, *values: Any, seconds_max: float = STATEMENT_SECONDS_MAX) -> Told:
        """Run one statement and return its records; `values` stand for $1, $2 and so on."""
        ...


class ScratchDatabase(Protocol):
    """One database of its own, while the block that made it lasts."""

    @property
    def admin(self) -> ScratchSession:
        """Whoever made the database, for the library's own questions: it may do everything.

        No function, view or default of an artifact is ever run as it, nor anything that a family's page says.
        """
        ...

    async def session(self, role: str, settings: Mapping[str, str] = MappingProxyType({})) -> ScratchSession:
        """Return a new connection as `role`. Raises `ScratchUnavailable` where it cannot be had."""
        ...


class Scratch(Protocol):
    """Makes databases. One object serves any number of tasks; how many databases there are at once is bounded."""

    def database(self, *, roles: Sequence[str] = ()) -> AbstractAsyncContextManager[ScratchDatabase]:
        """Return a new database, dropped when the block ends.

        `OWNER` owns it; `OWNER`, `APP`, `READER` and `roles` can connect; none is a superuser or another's member.
        Raises `ScratchUnavailable` where no server can be had, and `InvalidInput` for what is no name of a role.
        """
        ...

    async def close(self) -> None:
        """Let go of everything. Closing twice is no error."""
        ...
