"""What played Python holds besides plain values: names from elsewhere, SQL, rows, and how a played error is told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from squads.gates.sql.rehearsal.value import NotKnown, Value

NOT_OURS: Final = object()
"""What a library answers for a name that it does not know."""
ITEMS_MAX = 2_000
_PARTS_MAX = 4_000


class Raised(Exception):
    """The played code raises an error of its own; `kind` is the name of its class."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Thing:
    """Something that has attributes and can be called in ways of its own; all that is not told is `NotKnown`."""

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        raise NotKnown

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        raise NotKnown

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        found = self.attribute(name)
        if isinstance(found, Thing):
            return found.call(args, words)
        raise NotKnown

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        raise NotKnown

    def rows(self) -> list[Any]:
        """Return what a loop goes through."""
        raise NotKnown

    def true(self) -> bool:
        """Return whether it counts as true."""
        return True


class Mute(Thing):
    """Something whose text says nothing of any row, and is the same in each run."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Silent(Mute):
    """A logger, a stream, a progress bar: whatever is done with it changes no row."""

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        return self

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        return self


@dataclass(eq=False)
class Suppress(Thing):
    """`suppress(...)`: what it names ends the block, and nothing else."""

    kinds: list[str]


@dataclass
class Named(Mute):
    """A name from elsewhere: `sa.func.lower` is `("sqlalchemy", "func", "lower")`."""

    path: tuple[str, ...]

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        return Named((*self.path, name))


@dataclass(frozen=True)
class Given:
    """A value in the midst of SQL."""

    value: Any


@dataclass(eq=False)
class Piece(Thing):
    """A piece of SQL with values in it."""

    parts: tuple[str | Given, ...] = ()
    label: str = ""

    def text(self) -> tuple[str, dict[str, Value]]:
        """Return the text with a parameter for each value."""
        told: dict[str, Value] = {}
        out = []
        for part in self.parts:
            if isinstance(part, Given):
                told[f"p{len(told)}_"] = bound(part.value)
                out.append(f":p{len(told) - 1}_")
            else:
                out.append(part)
        return "".join(out), told


def measured(*values: Any, but: tuple[type, ...] = ()) -> int:
    """Return how many parts values have: lists in lists may hold more than any text.

    Raises `NotKnown` where they are many, or one of them is of the kinds in `but`.
    """
    waiting, left = list(values), _PARTS_MAX
    while waiting:
        value = waiting.pop()
        left -= 1
        if left < 0 or (but and isinstance(value, but) and not isinstance(value, Mute)):
            raise NotKnown
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting += value
        elif isinstance(value, Row):
            waiting += value.values.values()
    return _PARTS_MAX - left


def texts(*values: Any) -> None:
    """Make sure that the text of values says nothing but what they hold.

    What names its place in memory, or stands in no order, has another text in each run; and another text would count
    as a value that is still told. Raises `NotKnown`.
    """
    measured(*values, but=(Thing, defaultdict, set, frozenset))


def piece(*given: Any) -> Piece:
    """Return pieces, SQL in plain texts and values (in `Given`) as one piece."""
    parts: list[str | Given] = []
    for one in given:
        if isinstance(one, Piece):
            parts += one.parts
        else:
            parts.append(one)
    return Piece(tuple(parts))


def listed(given: Any, mark: str = ", ") -> Piece:
    """Return pieces with a mark between them."""
    out: list[Any] = []
    for one in given:
        out += [mark, one] if out else [one]
    return piece(*out)


def as_piece(value: Any) -> Piece:
    """Return a value as SQL; a column as what it is."""
    return value if isinstance(value, Piece) else Piece((Given(value),))


def bound(value: Any) -> Value:
    """Return a value as SQLite stores it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    if isinstance(value, float):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (dict, list, tuple, set)):
        measured(value, but=(Thing,))
        parts = value if isinstance(value, dict) else list(through(value))
        try:
            return json.dumps(parts, sort_keys=True, default=str)[:4_000]
        except (TypeError, ValueError, RecursionError):
            raise NotKnown from None
    key = getattr(value, "key", None)
    if callable(key):
        found: Value = key()
        return found
    raise NotKnown


def held(value: Value) -> Any:
    """Return a value of a row as Python gets it: a fraction is exact."""
    return Decimal(str(value)) if isinstance(value, float) else value


@dataclass(eq=False)
class Row(Thing):
    """One row of a result."""

    values: dict[str, Any] = field(default_factory=dict)

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name in self.values:
            return self.values[name]
        if name in ("_mapping", "_fields", "c"):
            return dict(self.values) if name == "_mapping" else list(self.values)
        raise NotKnown

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in ("_asdict", "copy"):
            return dict(self.values)
        if name in ("keys", "items", "values"):
            return list(getattr(self.values, name)())
        if name == "get" and args:
            return self.values.get(str(args[0]), args[1] if len(args) > 1 else None)
        raise NotKnown

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        if isinstance(key, Piece):
            key = key.label
        if isinstance(key, str):
            if key not in self.values:
                raise Raised("KeyError")
            return self.values[key]
        try:
            return list(self.values.values())[key]
        except (IndexError, TypeError):
            raise Raised("IndexError") from None

    def rows(self) -> list[Any]:
        """Return what a loop goes through."""
        return list(self.values.values())


def through(value: Any) -> Iterator[Any]:
    """Yield what a loop over a value goes through."""
    if isinstance(value, Thing):
        found = value.rows()
    elif isinstance(value, (str, list, tuple, dict, range)):
        found = list(value[:ITEMS_MAX]) if isinstance(value, str) else list(value)
    elif isinstance(value, (set, frozenset)):
        measured(value, but=(Thing,))
        found = sorted(value, key=repr)
    else:
        raise NotKnown
    if len(found) > ITEMS_MAX:
        raise NotKnown
    yield from found


def pairs(value: Any) -> dict[Any, Any]:
    """Return a mapping as a dict."""
    if isinstance(value, Row):
        return dict(value.values)
    if isinstance(value, Mapping):
        return dict(value)
    raise NotKnown


def true(value: Any) -> bool:
    """Return whether Python takes a value for true."""
    return value.true() if isinstance(value, Thing) else bool(value)
