"""How the ends of runs are compared, and how a value is shown."""

from __future__ import annotations

from squads.gates.sql.rehearsal.stage import State
from squads.gates.sql.rehearsal.value import Value


def left_out(ended: list[tuple[Value, list[State]]]) -> Value:
    """Return the one value in whose place nothing stands, where each of the others has something; else None."""
    finals = [states[-1] for _, states in ended]
    cells: dict[tuple[str, int, int], list[Value]] = {}
    for name, (_, rows) in finals[0].items() if len(finals) > 2 else ():
        there = [f.get(name, ((), ()))[1] for f in finals]
        if any(len(t) != len(rows) for t in there):
            return None
        for at, row in enumerate(rows):
            for column in range(len(row)):
                held = [t[at][column] for t in there]
                if len({repr(h) for h in held}) > 1:
                    cells[name, at, column] = held
    if len(cells) != 1:
        return None
    (held,) = cells.values()
    if held.count(None) != 1:
        return None
    return ended[held.index(None)][0]


def short(value: Value) -> str:
    """Return a value as a message shows it."""
    if value is None:
        return "NULL"
    text = repr(value)
    return text if len(text) <= 40 else f"...{text[-24:]}"
