"""Texts that match a CHECK's pattern, for rows that a table with such a CHECK would take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from squads.gates.sql.rehearsal.regexes import work

_PIECE = re.compile(
    r"\\(?P<kind>.)|(?P<set>\[\^?\]?[^\]]*\])|(?P<group>\((?:\?:)?(?P<inner>[^()]*)\))|(?P<any>\.)|(?P<plain>[^\\\[\](){}|*+?.^$])"
)
_COUNT = re.compile(r"\{(\d+)(?:,\d*)?\}|[+*?]")
_LETTERS = ("abcdefgh", "bcdefgha", "cdefghab")
_DEPTH_MAX = 4
_STEPS_MAX = 2_000_000


def matching(checks: Iterable[str], column: str) -> Iterator[str]:
    """Yield texts that match the patterns which CHECKs ask of a column, as far as they are plain."""
    asked = re.compile(rf"\b{re.escape(column)}\b[^~']*~\*? *'((?:[^']|'')*)'")
    for check in checks:
        for found in asked.finditer(check):
            for way in range(3):
                made = _made(found[1].replace("''", "'").strip("^$"), way)
                if made is not None and _fits(found[1], made):
                    yield made


def _fits(pattern: str, text: str) -> bool:
    if re.search(r"[*+}][*+{]", pattern) or work(pattern, len(text)) > _STEPS_MAX:
        return False  # such patterns may be read for long
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _made(pattern: str, way: int, depth: int = 0) -> str | None:
    """Return one text for a pattern; each way has other letters."""
    text, at = "", 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None or depth > _DEPTH_MAX or len(text) > 200:
            return None
        at = piece.end()
        times = 1
        count = _COUNT.match(pattern, at)
        if count is not None:
            at = count.end()
            times = min(int(count[1]), 60) if count[1] else 1 if count[0] == "?" else 4
        for turn in range(times):
            letter = _letter(piece, way + turn, depth)
            if letter is None:
                return None
            text += letter
    return text


def _letter(piece: re.Match[str], way: int, depth: int) -> str | None:
    kind = piece["kind"]
    if kind is not None:
        return {"d": str(1 + way % 2), "w": _LETTERS[0][way % 8], "s": " ", "S": _LETTERS[0][way % 8]}.get(kind, kind)
    if piece["inner"] is not None:
        parts = piece["inner"].split("|")
        return _made(parts[way % len(parts)], way, depth + 1)
    if piece["set"] is not None:
        return _of_set(piece["set"][1:-1], way)
    return _LETTERS[0][way % 8] if piece["any"] else piece["plain"]


def _of_set(signs: str, way: int) -> str | None:
    if signs.startswith("^"):
        return next((c for c in _LETTERS[way % 3] if c not in signs), None)
    plain = (
        signs.replace("[:alpha:]", "a-z").replace("[:digit:]", "0-9").replace("[:upper:]", "A-Z").replace("\\d", "0-9")
    )
    first = plain[0]
    if len(plain) > 2 and plain[1] == "-":
        return chr(min(ord(first) + 1 + way % 3, ord(plain[2])))
    return plain[way % len(plain)]
