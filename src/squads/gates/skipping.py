"""What a gate is told not to look at: folders and files by their plain paths, never patterns.

What is skipped is part of a gate's prior, so receipts say which gate skipped what.
"""

from __future__ import annotations

from collections.abc import Iterable

from squads.contracts.errors import InvalidSquad


def checked_skip(paths: Iterable[str], gate: str) -> tuple[str, ...]:
    """Return paths that can be skipped. Raises `InvalidSquad` for everything at once, and for patterns."""
    found = tuple(paths) if not isinstance(paths, str) else (paths,)
    for path in found:
        if not isinstance(path, str) or path.startswith("/") or path.strip("/.") == "" or "*" in path:
            raise InvalidSquad(
                f"{path!r} cannot be skipped by {gate!r}; name a folder or a file from the top, such as 'tests/', "
                "without '*'"
            )
    return found


def skips(skip: Iterable[str], path: str) -> bool:
    """Return whether a path is skipped, or lies in a folder that is."""
    return any(path == skipped or path.startswith(f"{skipped.rstrip('/')}/") for skipped in skip)
