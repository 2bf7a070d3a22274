"""Runs the program that a DO block is, with a player that knows the rows; see `blocks.py` for how it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from squads.gates.sql.lex import Token
from squads.gates.sql.rehearsal.blocks import Part
from squads.gates.sql.rehearsal.value import NotKnown, Stops, Value

_TURNS_MAX = 300


class Player(Protocol):
    """Who knows the rows."""

    def query(self, text: str) -> list[dict[str, Value]]:
        """Return the rows of a query."""

    def change(self, text: str) -> int:
        """Change rows; return how many."""

    def returned(self, text: str) -> list[dict[str, Value]]:
        """Change rows; return what the statement returns of them."""

    def attempt(self, do: Callable[[], None]) -> bool:
        """Do something; where it stops, take back what it did to rows. Return whether it came to its end."""


@dataclass(slots=True)
class _Turn:
    player: Player
    values: dict[str, Value | dict[str, Value]] = field(default_factory=dict)
    changed: int = 0
    left: int = _TURNS_MAX


class _Leaves(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind


def play(block: Part, player: Player) -> None:
    """Run a block. Raises `Stops` where it raises, and `NotKnown`."""
    turn = _Turn(player)
    try:
        _run(block.parts, turn)
    except _Leaves:
        return


def _run(parts: Sequence[Part], turn: _Turn) -> None:
    for part in parts:
        _DOES.get(part.kind, _pass)(part, turn)


def _pass(part: Part, turn: _Turn) -> None:
    del part, turn


def _raise(part: Part, turn: _Turn) -> None:
    del part, turn
    raise Stops


def _leave(part: Part, turn: _Turn) -> None:
    if not part.text or _holds(part.text, turn):
        raise _Leaves(part.kind)


def _assert(part: Part, turn: _Turn) -> None:
    if not _holds(part.text, turn):
        raise Stops


def _try(part: Part, turn: _Turn) -> None:
    if not turn.player.attempt(lambda: _run(part.parts, turn)):
        _run(part.others, turn)


def _asked(part: Part, turn: _Turn) -> None:
    turn.changed = len(turn.player.query(_text(part.text, turn)))


def _choose(part: Part, turn: _Turn) -> None:
    if not part.text:
        _run(part.parts, turn)
        return
    _run(part.parts if _holds(part.text, turn) else part.others, turn)


def _into(part: Part, turn: _Turn) -> None:
    rows = turn.player.query(_text(part.text, turn))
    turn.changed = len(rows)
    row = rows[0] if rows else {}
    if len(part.names) == 1 and len(row) > 1:
        turn.values[part.names[0]] = row
        return
    found = [*row.values(), *([None] * len(part.names))]
    turn.values.update(zip(part.names, found, strict=False))


def _returned(part: Part, turn: _Turn) -> None:
    rows = turn.player.returned(_text(part.text, turn))
    turn.changed = len(rows)
    found = [*(rows[0].values() if rows else ()), *([None] * len(part.names))]
    turn.values.update(zip(part.names, found, strict=False))


def _set(part: Part, turn: _Turn) -> None:
    value = next(iter(turn.player.query(f"SELECT {_text(part.text, turn)} AS v")[0].values())) if part.text else None
    turn.values[part.names[0]] = value


def _rows(part: Part, turn: _Turn) -> None:
    turn.changed = turn.player.change(_text(part.text, turn))


def _count(part: Part, turn: _Turn) -> None:
    turn.values[part.names[0]] = turn.changed


def _loop(part: Part, turn: _Turn) -> None:
    rows: list[dict[str, Value]] | None = None
    if part.kind == "for":
        if any(t.value in ("reverse", "execute") for t in part.text):
            raise NotKnown
        span = _span(part, turn)
        if span is None and "select" not in [t.value for t in part.text]:
            raise NotKnown
        rows = turn.player.query(_text(part.text, turn)) if span is None else [{"": n} for n in span]
    while True:
        turn.left -= 1
        if turn.left < 0:
            raise NotKnown
        if rows is not None:
            if not rows:
                return
            row = rows.pop(0)
            turn.values[part.names[0]] = row.get("", row)
        elif part.kind == "while" and not _holds(part.text, turn):
            return
        try:
            _run(part.parts, turn)
        except _Leaves as leaves:
            if leaves.kind == "exit":
                return
            if leaves.kind == "return":
                raise


def _span(part: Part, turn: _Turn) -> range | None:
    """Return the numbers that `FOR i IN 1..3` goes through; None for a query."""
    at = next((n for n, t in enumerate(part.text) if ".." in t.text), None)
    text = " ".join(t.text for t in part.text)
    if at is None and ".." not in text.replace(" ", ""):
        return None
    one, _, two = text.replace(" . . ", "..").partition("..")
    ends = []
    for end in (one, two):
        given = turn.values.get(end.strip(), end.strip())
        if not isinstance(given, (int, str)) or not str(given).lstrip("-").isdigit():
            raise NotKnown
        ends.append(int(given))
    return range(ends[0], min(ends[1] + 1, ends[0] + _TURNS_MAX))


_DOES: dict[str, Callable[[Part, _Turn], None]] = {
    "if": _choose, "try": _try, "asked": _asked,
    "loop": _loop, "while": _loop, "for": _loop, "raise": _raise, "assert": _assert, "into": _into,
    "returned": _returned,
    "set": _set, "rows": _rows, "count": _count, "exit": _leave, "continue": _leave, "return": _leave,
}  # fmt: skip


def _holds(text: Sequence[Token], turn: _Turn) -> bool:
    rows = turn.player.query(f"SELECT ({_text(text, turn)}) AS v")
    return bool(rows and next(iter(rows[0].values())))


def _text(tokens: Sequence[Token], turn: _Turn) -> str:
    """Return SQL with the values of variables in their places."""
    made: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        after_dot = at > 0 and tokens[at - 1].text == "."
        if token.kind in ("word", "quoted") and not after_dot:
            if token.value == "found":
                made.append("true" if turn.changed else "false")
                at += 1
                continue
            held = turn.values.get(token.value, turn)
            if isinstance(held, dict) and at + 2 < len(tokens) and tokens[at + 1].text == ".":
                if tokens[at + 2].value not in held:
                    raise NotKnown
                made.append(_literal(held[tokens[at + 2].value]))
                at += 3
                continue
            if (
                held is not turn
                and not isinstance(held, dict)
                and not (at + 1 < len(tokens) and tokens[at + 1].text == ".")
            ):
                made.append(_literal(held))  # type: ignore[arg-type]
                at += 1
                continue
        made.append(token.text)
        at += 1
    return " ".join(made)


def _literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)
