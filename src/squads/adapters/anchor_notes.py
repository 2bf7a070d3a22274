"""What notes claim, for adapters that keep them: read fast, believed by nobody.

An anchor gives back whatever lies there. It must never decide which note counts: whoever reads them verifies them.
"""

from __future__ import annotations

from collections.abc import Iterable


def claimed_size(note: str) -> int | None:
    """Return how many receipts a note claims to cover, None where it says nothing of the kind."""
    lines = note.split("\n", 2)
    if len(lines) < 3 or not 1 <= len(lines[1]) <= 19 or not (lines[1].isascii() and lines[1].isdigit()):
        return None
    return int(lines[1])


def by_size(notes: Iterable[str], *, since: int = 0) -> list[str]:
    """Return each note once: what says nothing first, then those over `since` receipts or more, fewest first."""
    found = {note: size for note in notes if (size := claimed_size(note)) is None or size >= since}
    return sorted(found, key=lambda note: -1 if (size := found[note]) is None else size)
