"""Where something that is gone stood: lines of the old file as lines of the new one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

_LINES_MAX = 20_000


def now_at(old: Sequence[str], new: Sequence[str], line: int) -> int:
    """Return the line of the new text nearest to where line `line` of the old one stood; both count from 1."""
    if len(old) + len(new) > _LINES_MAX:
        return max(1, min(line, len(new)))
    for tag, from_old, to_old, from_new, to_new in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if from_old <= line - 1 < to_old:
            at = from_new + (line - 1 - from_old) if tag == "equal" else min(from_new + (line - 1 - from_old), to_new)
            return max(1, min(at + 1, len(new)))
    return max(1, len(new))


def changed(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Return the hunks that differ: (first old line, last old line, first new line, last new line), from 1."""
    if len(old) + len(new) > _LINES_MAX:
        return [(1, len(old), 1, len(new))]
    return [
        (a + 1, b, c + 1, d)
        for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
