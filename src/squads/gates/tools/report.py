"""What a tool's answer says, whatever its format: results, and what the tool could not read.

An answer is read strictly: what is not understood raises `CannotLook` with the place. Nothing in it is believed about
anything but the artifact's own files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn

from squads.gates.check import CannotLook

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
PathOf = Callable[[str], str]
"""From a place as a tool writes it (a URI, a relative or an absolute path) to the artifact's path, or `CannotLook`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing that a tool found; lines and columns count from 1."""

    rule: str
    level: Level
    message: str
    path: str | None = None
    """The artifact's path; None where the tool names no place."""
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    rank: float = -1.0
    """How important the tool takes it to be, from 0 to 100; -1 where it says nothing."""
    suppressed: Literal["", "in-source", "external"] = ""
    """Whether somebody silenced it: by a comment in the file itself, or outside of it."""
    satisfy: str = ""
    """What the tool says would mend it, or where that is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One answer of one tool."""

    results: tuple[Result, ...]
    unread: tuple[str, ...] = ()
    """A sentence for everything that the tool says it could not look at. One is enough to abstain."""

    def worded(self, named: Callable[[str], str]) -> Report:
        """Return the report with every sentence of the tool's passed through `named`."""
        results = tuple(replace(r, message=named(r.message), satisfy=named(r.satisfy)) for r in self.results)
        return Report(results=results, unread=tuple(named(u) for u in self.unread))


def strict_json(blob: bytes, what: str) -> Any:
    """Return what a JSON text holds. Raises `CannotLook` for a doubled key, NaN, endless nesting, or no JSON at all."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        held = dict(pairs)
        if len(held) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"the key {scrubbed(twice, 60)!r} stands twice in one object")
        return held

    def no_number(text: str) -> NoReturn:
        raise ValueError(f"{text} is no JSON number")

    try:
        text = blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotLook(f"{what} is not UTF-8 (byte {error.start}); let the tool write UTF-8") from None
    if not text.strip():
        raise CannotLook(f"{what} is empty; let the tool write its report, also where it finds nothing")
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    except RecursionError:
        raise CannotLook(f"{what} is nested without end, so it was not read") from None
    except ValueError as error:
        raise CannotLook(f"{what} is no JSON that can be read: {scrubbed(str(error), 200)}") from None


def scrubbed(text: str, chars_max: int) -> str:
    """Return untrusted text that can be sealed and shown: no lone surrogate, no NUL, bounded."""
    clean = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    return clean if len(clean) <= chars_max else clean[: chars_max - 1] + "…"
