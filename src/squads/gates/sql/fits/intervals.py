"""How far a computed number may go, by the ranges that CHECKs write down for the columns it is computed from.

`width * height` of two columns up to 60000 is 3.6 thousand millions, and integers are multiplied as integers whatever
they are stored in afterwards. A column without a written range may be anything, and nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from squads.gates.sql.changes import mentioned
from squads.gates.sql.expressions import parsed
from squads.gates.sql.fits.bounds import Misfit, Type, column_type, shown, type_of
from squads.gates.sql.fits.constants import DoesNotFit
from squads.gates.sql.fits.evaluate import constant
from squads.gates.sql.fits.fitting import Unfit, tokens_in, unfit
from squads.gates.sql.fits.spans import checks_of, conjuncts
from squads.gates.sql.lex import Token, text_of
from squads.gates.sql.model import Column, Schema, Table

if TYPE_CHECKING:
    from sqlglot import exp

_BITS = {"int2": 16, "int4": 32, "int8": 64}
_WIDTHS = {
    **dict.fromkeys(("smallint", "int2", "smallserial"), "int2"),
    **dict.fromkeys(("integer", "int", "int4", "serial"), "int4"),
    **dict.fromkeys(("bigint", "int8", "bigserial"), "int8"),
}
_SAYS = {"int2": "smallint", "int4": "integer", "int8": "bigint"}


@dataclass(frozen=True, slots=True)
class Reach:
    """The numbers that an expression may come out as; both ends do occur."""

    low: Fraction
    high: Fraction
    width: str = ""
    """`int2`, `int4` or `int8` where it is computed in integers."""


def computed_too_far(schema: Schema) -> Iterator[Unfit]:
    """Yield the generated columns whose expression goes beyond its type, or beyond theirs."""
    for table in schema.tables:
        for column in table.columns if not table.foreign else ():
            if column.generated:
                target = column_type(schema, table, column)
                found = too_far(schema, tokens_in(column.generated), [table], target)
                if found:
                    yield unfit("generated", table, column, found, column.place)


def too_far(schema: Schema, tokens: Sequence[Token], tables: Sequence[Table], target: Type) -> Misfit | None:
    """Return why what is computed from columns of `tables` goes beyond `target`, or None where it may not."""
    if not tables or not target.is_number or not any(t.text in ("*", "+", "-", "/") for t in tokens):
        return None
    names = [t.value for t in tokens if t.kind in ("word", "quoted")]
    if not any(schema.resolved(t).column(n) for t in tables for n in names):
        return None  # a constant, which is judged as one
    if any(len(mentioned(c.condition, names)) > 1 for t in tables for c in schema.resolved(t).checks):
        return None  # a CHECK on several of them together keeps what is too large out, as far as is known here
    try:
        reach = _Reader(schema, tables).reach(parsed(text_of(_bare(tokens))))
    except (ValueError, RecursionError):
        return None
    except DoesNotFit as problem:
        return Misfit("all", str(problem))
    limits = target.limits
    if reach is None or limits is None or limits[0] <= reach.low <= reach.high <= limits[1]:
        return None
    end, most = (reach.high, limits[1]) if reach.high > limits[1] else (reach.low, limits[0])
    return Misfit("all", f"it is computed up to {shown(end)}, and {target} ends at {shown(most)}")


def _bare(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens without the `NEW.` in front of columns."""
    found: list[Token] = []
    for at, token in enumerate(tokens):
        behind = at + 1 < len(tokens) and tokens[at + 1].text == "."
        if token.text == "." or (token.kind == "word" and behind):
            continue
        found.append(token)
    return found


class _Reader:
    def __init__(self, schema: Schema, tables: Sequence[Table]) -> None:
        self.schema, self.tables = schema, [schema.resolved(t) for t in tables]

    def reach(self, node: exp.Expression) -> Reach | None:
        """Return how far an expression may go; None where that is not known."""
        kind = type(node).__name__
        if kind == "Column":
            return self._column(node.name)
        if kind == "Literal" and not node.is_string:
            number = Fraction(node.name)
            whole = number.denominator == 1 and node.name.isdecimal()
            return Reach(number, number, ("int4" if number < 2**31 else "int8") if whole else "")
        if kind == "Paren":
            return self.reach(node.this)
        if kind == "Neg":
            inner = self.reach(node.this)
            return Reach(-inner.high, -inner.low, inner.width) if inner else None
        if kind in ("Cast", "TryCast"):
            return self._cast(node)
        if kind in ("Round", "Ceil", "Floor"):
            return self.reach(node.this)
        if kind == "Coalesce":
            parts = [self.reach(p) for p in (node.this, *node.expressions)]
            known = [p for p in parts if p is not None]
            if len(known) != len(parts):
                return None
            return Reach(min(p.low for p in known), max(p.high for p in known), max(p.width for p in known))
        if kind in ("Mul", "Add", "Sub", "Div"):
            return self._operation(kind, node)
        return None

    def _operation(self, kind: str, node: exp.Expression) -> Reach | None:
        left, right = self.reach(node.args["this"]), self.reach(node.args["expression"])
        if left is None or right is None:
            return None
        width = max(left.width, right.width) if left.width and right.width else ""
        if kind == "Mul":
            ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
        elif kind == "Add":
            ends = [left.low + right.low, left.high + right.high]
        elif kind == "Sub":
            ends = [left.low - right.high, left.high - right.low]
        elif right.low == right.high and right.low:
            ends = [left.low / right.low, left.high / right.low]
        else:
            return None
        found = Reach(min(ends), max(ends), width)
        if width and not -(2 ** (_BITS[width] - 1)) <= found.low <= found.high < 2 ** (_BITS[width] - 1):
            end = found.high if found.high >= 2 ** (_BITS[width] - 1) else found.low
            said = node.sql(dialect="postgres").replace('"', "")
            raise DoesNotFit(f"{said} is computed as {_SAYS[width]} and goes to {shown(end)}, out of its range")
        return found

    def _cast(self, node: exp.Expression) -> Reach | None:
        inner = self.reach(node.this)
        target = type_of(self.schema, node.args["to"].sql(dialect="postgres").lower())
        if inner is None or not target.is_number:
            return None
        if target.limits and not target.limits[0] <= inner.low <= inner.high <= target.limits[1]:
            raise DoesNotFit(f"what is cast to {target} goes to {shown(inner.high)}, out of its range")
        return Reach(inner.low, inner.high, _WIDTHS.get(target.name, ""))

    def _column(self, name: str) -> Reach | None:
        held = [(t, c) for t in self.tables if (c := t.column(name)) is not None]
        return written_range(self.schema, *held[0]) if len(held) == 1 else None


def written_range(schema: Schema, table: Table, column: Column) -> Reach | None:
    """Return the range that CHECKs write down for a column."""
    target = column_type(schema, table, column)
    if not target.is_number or target.array:
        return None
    low: Fraction | None = None
    high: Fraction | None = None
    for check, name in checks_of(schema, table, column):
        for part in conjuncts(check):
            for side, end in _ends(part, name):
                if side == "low":
                    low = end if low is None else max(low, end)
                else:
                    high = end if high is None else min(high, end)
    if high is None or (low is None and high <= 0):
        return None
    return Reach(min(low if low is not None else Fraction(0), high), high, _WIDTHS.get(target.name, ""))


def _ends(part: exp.Expression, name: str) -> Iterator[tuple[str, Fraction]]:
    kind = type(part).__name__
    left, right = part.args.get("this"), part.args.get("expression")
    if kind == "Between" and _is(left, name):
        yield from ((s, v) for s, k in (("low", "low"), ("high", "high")) if (v := _number(part.args[k])) is not None)
        return
    if kind not in ("GT", "GTE", "LT", "LTE"):
        return
    if _is(right, name):
        left, right, kind = right, left, {"GT": "LT", "GTE": "LTE", "LT": "GT", "LTE": "GTE"}[kind]
    if _is(left, name) and right is not None and (value := _number(right)) is not None:
        yield ("low" if kind in ("GT", "GTE") else "high"), value


def _is(node: exp.Expression | None, name: str) -> bool:
    return type(node).__name__ == "Column" and node is not None and node.name == name


def _number(node: exp.Expression) -> Fraction | None:
    try:
        value = constant(tokens_in(node.sql(dialect="postgres")), lambda v, _: v)
    except DoesNotFit:
        return None
    return value.number if value is not None else None
