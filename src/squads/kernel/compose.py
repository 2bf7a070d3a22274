"""The composition rule, alone: the union of approved artifacts whose paths do not meet.

A path may stand in several parts only when one of them was built on all the others: then that one's word counts.
Where paths meet any other way nothing composes; a task has to build the meeting place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from squads.contracts.artifact import FileEntry, Manifest


@dataclass(frozen=True, slots=True)
class PathsMeet:
    """Why there is no composition: two parts that do not build on each other speak of one path."""

    path: str
    tasks: tuple[int, ...]

    def __str__(self) -> str:
        tasks = " and ".join(str(t) for t in self.tasks)
        return f"tasks {tasks} meet at a path without building on each other; add a task after both that writes it"


def compose(
    parts: Mapping[int, Manifest], ancestors: Mapping[int, frozenset[int]], *, attempt: int
) -> Manifest | PathsMeet:
    """Return the composition's manifest, or where the parts meet.

    Args:
        parts: The approved artifact of every task, by task number; at least one.
        ancestors: For every task, all tasks that it builds on, directly or not.
        attempt: The number of this composition.

    The salt is derived from the parts' salts: the same parts give the same digest, and whoever lost the parts can
    guess nothing from it.
    """
    speakers: dict[str, list[int]] = {}
    for task, manifest in sorted(parts.items()):
        for path in manifest.paths:
            speakers.setdefault(path, []).append(task)
    entries: dict[str, FileEntry] = {}
    removals: list[str] = []
    for path, tasks in speakers.items():
        last = [t for t in tasks if all(o == t or o in ancestors[t] for o in tasks)]
        if len(last) != 1:
            return PathsMeet(path, tuple(tasks))
        entry = next((e for e in parts[last[0]].files if e.path == path), None)
        if entry is None:
            removals.append(path)
        else:
            entries[path] = entry
    if clash := _file_and_folder(entries, speakers):
        return clash
    bases = {m.base for m in parts.values() if m.base is not None}
    if len(bases) > 1:
        return PathsMeet("(the base)", tuple(sorted(t for t, m in parts.items() if m.base is not None)))
    salts = "".join(parts[t].salt for t in sorted(parts))
    return Manifest(
        files=tuple(entries[p] for p in sorted(entries)),
        removals=tuple(sorted(removals)),
        base=bases.pop() if bases else None,
        made_from=tuple(parts[t].digest for t in sorted(parts)),
        author="runner",
        attempt=attempt,
        salt=hashlib.sha256(f"squads.composition/v1\n{attempt}\n{salts}".encode()).hexdigest(),
    )


def _file_and_folder(entries: Mapping[str, FileEntry], speakers: Mapping[str, list[int]]) -> PathsMeet | None:
    """One part's file may not be another part's folder: the union could not be written to a disk."""
    for path in entries:
        for depth in range(1, path.count("/") + 1):
            folder = path.rsplit("/", depth)[0]
            if folder in entries:
                return PathsMeet(folder, tuple(sorted({*speakers[path], *speakers[folder]})))
    return None
