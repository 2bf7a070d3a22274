"""The one thread that writes to a SQLite ledger; what it promises stands in `group_writer`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from squads.adapters.group_writer import GroupWriter
from squads.adapters.sqlite_journal import KeepStep
from squads.adapters.sqlite_schema import translated
from squads.adapters.sqlite_store import SqliteStore
from squads.adapters.sqlite_work import Outcome, Work


class SqliteWriter(GroupWriter[Work, Outcome]):
    """Queues work for a SQLite store from any event loop; a step is written whoever gave up waiting for it."""

    def __init__(self, open_store: Callable[[], SqliteStore], path: Path) -> None:
        """Return when the store is open. Raises what the store raises."""
        super().__init__(
            open_store,
            str(path),
            translated=lambda error: translated(error, path),
            always=lambda work: isinstance(work, KeepStep),
        )
