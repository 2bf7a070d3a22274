"""An anchor in this process's memory, for tests and for trying things out: what it keeps ends with the process."""

from __future__ import annotations

from squads.adapters.anchor_notes import by_size


class MemoryAnchor:
    """An `Anchor` in a list. Several ledgers' lives can share one: it stands for a place outside."""

    def __init__(self, name: str = "memory") -> None:
        """Make an empty one."""
        self._name = name
        self._notes: list[str] = []

    @property
    def name(self) -> str:
        """What it was called."""
        return self._name

    async def put(self, note: str) -> None:
        """Keep the note."""
        self._notes.append(note)

    async def notes(self, *, since: int = 0) -> list[str]:
        """Return the notes, fewest receipts first."""
        return by_size(self._notes, since=since)

    async def close(self) -> None:
        """Do nothing: what it keeps is the point of it."""
