"""Rows to rehearse a migration on: of each column some values of its kind, those that the statements name among them.

They are ordinary values: no blanks at the ends, no signs that only a malformed row holds. What two of them would be one
by is therefore a loss that rows in use have too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from squads.gates.sql.rehearsal.patterns import matching
from squads.gates.sql.rehearsal.script import Key, Script, Shape
from squads.gates.sql.rehearsal.value import Stops, Value
from squads.gates.sql.rehearsal.values import stored
from squads.gates.sql.steps.types import read

_DEPTH_MAX = 4
_CHOICES_MAX = 14
VALUES_MAX = 8
"""How many values of a column are tried, and found where they are looked up."""
_LITERAL = r"'((?:[^']|'')*)'"
_LIST = re.compile(
    r"['\"`]?[\w-]+['\"`]?(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|\s*[/|]\s*)['\"`]?[\w-]+['\"`]?)+"
)
_TEXTS = ("Ana Maria Souza", "Ana Maria Lopes", "Tom Riis", "Ida")
_FALLBACKS = ("ida@example.org", "tom@example.org", "4711", "4712", "AB", "CD", "A", "B", "12.5", "2024-03-05",
              "+49 40 123456",
              "DE", "FR", "EUR", "USD", "https://a.example/x", "b-1", "b-2")  # fmt: skip


@dataclass(slots=True)
class Samples:
    """Makes rows for the tables of a script."""

    script: Script
    spoken: str
    """The text of all statements, old and new; values that they compare a column with are among its values."""
    remarks: str = ""
    """What brief and comments say; a list there that names some of a column's values names the others too."""
    _rows: dict[tuple[str, int], dict[str, Value]] = field(default_factory=dict)
    _values: dict[tuple[str, str], tuple[Value, ...]] = field(default_factory=dict)

    def values(self, shape: Shape, column: str) -> tuple[Value, ...]:
        """Return what a column may hold, no NULL, the ordinary ones first."""
        known = (shape.name, column)
        if known not in self._values:
            self._values[known] = tuple(self._made(shape, column))
        return self._values[known]

    def _made(self, shape: Shape, column: str) -> Iterator[Value]:
        kind = shape.types.get(column, "text")
        for key in shape.references:
            other = self.script.before.get(key.to)
            targets = key.targets or (other.primary if other else ())
            alone = other is not None and key.columns == (column,) and len(targets) == 1 and other is not shape
            if other is not None and alone and targets[0] not in other.primary:
                yield from list(self.values(other, targets[0])[:2])  # those rows are there, and no numbers count them
                return
        seen: set[str] = set()
        for value in self._all(shape, column, kind):
            try:
                held = stored(value, kind, self.script.labels.get(kind.rsplit(".", 1)[-1], ()))
            except Stops:
                continue
            if repr(held) not in seen and held is not None and _allowed(shape, column, held):
                seen.add(repr(held))
                yield held
            if len(seen) >= _CHOICES_MAX:
                return

    def _all(self, shape: Shape, column: str, kind: str) -> Iterable[Value]:
        labels = self.script.labels.get(kind.rsplit(".", 1)[-1])
        if labels:
            return labels
        told = self._compared(column)
        for check in shape.checks:
            listed = re.search(
                rf"\b{re.escape(column)}\b\W+(?:in|= any)\b[^']*((?:'[^']*'[^']*)+)", check, re.IGNORECASE
            )
            if listed:
                return [*re.findall(_LITERAL, listed[1])]
        found = read(kind)
        if found.array:
            return ('["red", "blue"]', '["red", "green"]', '["red"]')
        match found.name:
            case "boolean":
                return (1, 0)
            case "smallint" | "integer" | "bigint":
                numbers = [int(t) for t in told if re.fullmatch(r"-?\d{1,9}", t)]
                return (*numbers, 2, 3, 7, 8, 1234, 1257, 90_001, 90_002)
            case "numeric" | "money":
                scale = found.digits[1] if len(found.digits) > 1 else (0 if found.digits else 2)
                step = 10.0**-scale
                return (
                    round(2 + 3 * step, scale),
                    round(2 + 4 * step, scale),
                    5.0,
                    round(7 + 8 * step, scale),
                    7000.5,
                    8000.5,
                )
            case "real" | "double precision":
                return (2.375, 2.5, 5.0)
            case "date":
                return (
                    *self._moments(column)[:2],
                    "2024-03-05",
                    "2024-03-06",
                    "2024-04-20",
                    "2024-05-01",
                    "2030-12-31",
                )
            case "timestamp" | "timestamptz":
                return (
                    *(f"{d} 11:12:13" for d in self._moments(column)[:2]),
                    "2024-03-05 13:45:10",
                    "2024-03-05 18:20:30",
                    "2024-03-06 18:20:30",
                    "2024-03-07 09:00:00",
                    "2030-12-31 10:00:00",
                )
            case "time" | "timetz":
                return ("13:45:10", "18:20:30")
            case "uuid":
                return ("7f8a1c52-0000-4000-8000-000000000001", "7f8a1c52-0000-4000-8000-000000000002")
            case "json" | "jsonb":
                return self._documents()
        long = self._long(found.digits[0] if found.digits else 0)
        if len(told) > 1:
            return told
        return (
            *matching(shape.checks, column),
            *_TEXTS[:2],
            *islice(self._marked(column), 3),
            _TEXTS[-1],
            *long,
            *told,
            *_TEXTS[2:],
            *_FALLBACKS,
        )

    def _moments(self, column: str) -> list[str]:
        """Return days on both sides of those that statements compare a column with."""
        compared = rf'"?\b{re.escape(column)}\b"?(?: *:: *\w+)? *(<=?|>=?|between) *'
        made: dict[str, None] = {}
        for match in re.finditer(
            compared + r"(?:date|timestamp(?:tz)?)? *'(\d{4})-(\d\d)-(\d\d)", self.spoken, re.IGNORECASE
        ):
            made |= {f"{int(match[2]) - 1:04}-{match[3]}-11": None, f"{int(match[2]) + 1:04}-{match[3]}-12": None}
        if not made and re.search(compared + r"\(? *(?:now|current_)", self.spoken, re.IGNORECASE):
            made = dict.fromkeys(("2009-03-11", "2031-01-01"))
        return list(made)

    def _marked(self, column: str) -> Iterator[str]:
        """Yield texts with the marks in them at which statements part the column."""
        parted = rf"\b{re.escape(column)}\b[^;]{{0,40}}'([^\w' ]{{1,2}})'"
        split = rf"\b{re.escape(column)}\b[^;]{{0,60}}?(?:split|partition|splitlines)\('([^'\n]{{1,8}})'"
        own = rf'(?:"?\w+"?\s*\.\s*)?"?{re.escape(column)}"?\s*'
        part = rf"(?:split_part|string_to_array|strpos)\s*\(\s*{own},\s*'([^'\n]{{1,8}})'"
        marks = [*re.findall(parted, self.spoken), *re.findall(split, self.spoken), *re.findall(part, self.spoken)]
        liked = rf"\b{re.escape(column)}\b\"?\s+i?like\s+'%([^'%\n]{{1,8}})%([^'%\n]{{1,8}})'"
        for mark, end in dict.fromkeys(re.findall(liked, self.spoken, re.IGNORECASE)):
            yield from (f"north{mark}south{end}", f"north{mark}west{end}", f"east{mark}south{end}")
        begins = rf"\b{re.escape(column)}(?:__|\b)\"?[^;]{{0,20}}?(?:startswith *=? *\(?|like) *'([^'%\n]{{2,12}})%?'"
        for start in dict.fromkeys(re.findall(begins, self.spoken, re.IGNORECASE)):
            yield from (f"{start}south", f"{start}west")
        for mark in dict.fromkeys(m for m in marks if m.strip()):
            yield from (f"north{mark}south", f"north{mark}west", f"east{mark}south")

    def _long(self, size: int) -> tuple[str, ...]:
        start = "Hafen und Werft am Fluss, " * 40
        length = size or 700
        if length < 12:
            return ("ABCDEFGHIJKL"[:length], "ABCDEFGHIJKM"[:length].ljust(length, "X")[: length - 1] + "Z")
        return (start[: length - 1] + "x", start[: length - 1] + "y")

    def _documents(self) -> tuple[str, ...]:
        keys = dict.fromkeys(re.findall(r"->>?\s*'([\w ]+)'", self.spoken)) or {"note": None}
        one = {k: f"{k} one" for k in keys}
        two = {k: f"{k} two" for k in keys}
        made = ({**one, "besides": "this"}, {**two, "besides": "this"}, {**one, "besides": "that"})
        return tuple(json.dumps(m, sort_keys=True) for m in made)

    def _compared(self, column: str) -> list[str]:
        """Return the constants that statements compare a column with, or store in it."""
        name = rf'"?\b{re.escape(column)}\b"?(?: *\))?(?: *:: *\w+)?'
        found: dict[str, None] = {}
        for match in re.finditer(rf"{name} *(?:=|<>|!=|is (?:not )?distinct from|>=?|<=?) *(?:{_LITERAL}|(-?\d+)\b)",
                                 self.spoken, re.IGNORECASE):  # fmt: skip
            found[match[1] if match[1] is not None else match[2]] = None
        for match in re.finditer(rf"{name} *(?:not )?in *\(([^()]*)\)", self.spoken, re.IGNORECASE):
            found.update(dict.fromkeys(re.findall(_LITERAL, match[1])))
        when = rf" *when *(?:{_LITERAL}|\d+) *then.{{0,2000}}?"
        for match in re.finditer(rf"\bcase *(?:\w+ *\. *)?{name}({when}) *(?:else|end)",
                                 self.spoken, re.IGNORECASE):  # fmt: skip
            found.update(dict.fromkeys(re.findall(rf"when *{_LITERAL}", match[1], re.IGNORECASE)))
        for match in re.finditer(
            rf"\b{re.escape(column)}\b[^,;]{{0,400}}?\bdefault *{_LITERAL}", self.spoken, re.IGNORECASE
        ):
            found[match[1]] = None
        told = [f.replace("''", "'") for f in found if f]
        return list(dict.fromkeys((*told, *self._listed(told))))

    def _listed(self, told: list[str]) -> Iterator[str]:
        """Yield what stands in a list of brief or comments beside values that are told."""
        known = {t.lower() for t in told}
        for match in _LIST.finditer(self.remarks) if known else ():
            words = [w.strip("'\"` .") for w in re.split(r",|\band\b|\bor\b|/|\|", match[0])]
            if len(known & {w.lower() for w in words}) >= min(2, len(known)):
                yield from (w for w in words if w and w.lower() not in known)

    def row(self, table: str, number: int) -> dict[str, Value]:
        """Return the row of a table with a number: each column holds its first value, its key the number."""
        if (table, number) not in self._rows:  # many tables may refer to many
            self._rows[table, number] = self._row(table, number)
        return dict(self._rows[table, number])

    def _row(self, table: str, number: int) -> dict[str, Value]:
        shape = self.script.before[table]
        made: dict[str, Value] = {}
        for column in shape.columns:
            if column in shape.generated:
                continue
            values = self.values(shape, column)
            if column == shape.counts():
                made[column] = number
            elif column in shape.primary or any(column in u for u in shape.unique):
                made[column] = values[(number - 1) % len(values)] if values else None
            else:
                kind = shape.types.get(column, "")
                before = [c for c in shape.columns[: shape.columns.index(column)] if shape.types.get(c, "") == kind]
                made[column] = values[len(before) % len(values)] if values else None
        for key in shape.references:
            self.point(made, shape, key, number)
        return made

    def point(self, row: dict[str, Value], shape: Shape, key: Key, number: int) -> bool:
        """Make a row refer to the row of the other table with a number; return whether that is possible."""
        other = self.script.before.get(key.to)
        if other is None or key.to == shape.name:
            if key.to == shape.name:
                row.update(dict.fromkeys(key.columns))
            return False
        targets = key.targets or other.primary
        if len(targets) != len(key.columns):
            return False
        there = self.row(key.to, number)
        row.update({c: there.get(t) for c, t in zip(key.columns, targets, strict=True)})
        return True

    def others(self, table: str, depth: int = 0) -> dict[str, list[dict[str, Value]]]:
        """Return two rows of every table that a table refers to, directly or not."""
        made: dict[str, list[dict[str, Value]]] = {}
        if depth > _DEPTH_MAX:
            return made
        for key in self.script.before[table].references:
            if key.to in self.script.before and key.to != table:
                if key.to not in made or depth < 2:  # what many refer to is there but once
                    made.update(self.others(key.to, depth + 1))
                made[key.to] = [self.row(key.to, 1), self.row(key.to, 2)]
        return made

    def listed(self, table: str, first: int) -> list[dict[str, Value]]:
        """Return rows of a table that is no parent, each with other values: what is looked up there is found.

        Their keys are counted from behind `first`.
        """
        shape = self.script.before[table]
        made = []
        for number in range(1, VALUES_MAX + 1):
            row = self.row(table, number)
            for column in shape.columns:
                values = self.values(shape, column)
                if column == shape.counts():
                    row[column] = first + number
                elif column in row and values:
                    row[column] = values[(number - 1) % len(values)]
            made.append(row)
        return made

    def children(self, table: str, number: int) -> dict[str, list[dict[str, Value]]]:
        """Return one row of each table that refers to the row with a number, and what these need besides."""
        made: dict[str, list[dict[str, Value]]] = {}
        for name, shape in self.script.before.items():
            keys = [k for k in shape.references if k.to == table]
            if not keys or name == table:
                continue
            row = self.row(name, 1)
            for key in keys:
                self.point(row, shape, key, number)
            beside = {k: v for k, v in self.others(name).items() if k != table}
            made = {**beside, **made, name: [row]}
        return made


def _allowed(shape: Shape, column: str, value: Value) -> bool:
    """Return whether a value keeps the CHECKs that name a length or a range of one column in the plain way."""
    for check in shape.checks:
        bare = " ".join(check.lower().replace('"', "").split())
        length = rf"\(?(?:char_|character_)?length ?\( ?{re.escape(column)} ?\)"
        long = re.fullmatch(rf"{length} (<=?|between 1 and|between 0 and) (\d+)\)?",
                            bare)  # fmt: skip
        if long and len(str(value)) > int(long[2]) - (long[1] == "<"):
            return False
        low = re.fullmatch(rf"\(?{re.escape(column)} (>=?) (\d+)\)?", bare)
        if low and isinstance(value, (int, float)) and value < int(low[2]) + (low[1] == ">"):
            return False
        span = re.fullmatch(rf"\(?{re.escape(column)} between (\d+) and (\d+)\)?", bare)
        if span and isinstance(value, (int, float)) and not int(span[1]) <= value <= int(span[2]):
            return False
    return True


def in_order(
    rows: Mapping[str, list[dict[str, Value]]], shapes: Mapping[str, Shape]
) -> dict[str, list[dict[str, Value]]]:
    """Return rows with the tables that others refer to first."""
    made: dict[str, list[dict[str, Value]]] = {}

    def put(name: str, depth: int = 0) -> None:
        if name in made or name not in rows or depth > _DEPTH_MAX * 4:
            return
        for key in shapes[name].references:
            if key.to != name:
                put(key.to, depth + 1)
        made[name] = rows[name]

    for name in rows:
        put(name)
    return made
