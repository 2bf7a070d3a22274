"""Which values a CHECK writes down as allowed although the column's type cannot hold them.

`CHECK (score BETWEEN 0 AND 100)` on numeric(3,2) documents a range that ends at 9.99. Only conditions that admit are
read: comparisons of the column alone with a constant, lists, and lengths, under AND and OR. What stands under NOT, in
CASE or beside another column admits nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from squads.gates.sql.changes import mentioned
from squads.gates.sql.expressions import parsed
from squads.gates.sql.fits.bounds import Misfit, Type, cast, column_type, misfit, shown, type_of
from squads.gates.sql.fits.constants import Constant, DoesNotFit
from squads.gates.sql.fits.evaluate import constant
from squads.gates.sql.fits.fitting import Unfit, tokens_in, unfit
from squads.gates.sql.model import Check, Schema

if TYPE_CHECKING:
    from sqlglot import exp

_MIRRORED = {"LT": "GT", "LTE": "GTE", "GT": "LT", "GTE": "LTE", "EQ": "EQ"}


def ranges(schema: Schema) -> Iterator[Unfit]:
    """Yield the values that CHECKs admit and types do not hold."""
    for table in schema.tables:
        if table.foreign:
            continue
        resolved = schema.resolved(table)
        for check in table.checks:
            for name in mentioned(check.condition, (c.name for c in resolved.columns)):
                column = resolved.column(name)
                if column is not None and (found := admitted(schema, check, name, column_type(schema, table, column))):
                    yield unfit("check", table, column, found, check.place)
    for domain in schema.domains.values():
        for check in domain.checks:
            if found := admitted(schema, check, "value", type_of(schema, domain.type)):
                yield Unfit(source="check", column=domain.name, type=domain.type, misfit=found, place=check.place)


def admitted(schema: Schema, check: Check, name: str, target: Type) -> Misfit | None:
    """Return the first value that `check` admits for the column `name` and its type cannot hold."""
    if target.array or not (target.limits or target.text_length is not None or target.labels is not None):
        return None
    try:
        tree = parsed(check.condition)
    except (ValueError, RecursionError):
        return None  # other checks say so where a condition decides; here it is one source of several
    return next((m for part in _admitting(tree) if (m := _weighed(schema, part, name, target))), None)


def _admitting(node: exp.Expression) -> Iterator[exp.Expression]:
    """Yield the conditions under AND and OR."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if type(part).__name__ in ("And", "Or"):
            waiting += [part.args["expression"], part.args["this"]]
        else:
            yield part


def _weighed(schema: Schema, node: exp.Expression, name: str, target: Type) -> Misfit | None:
    kind = type(node).__name__
    left, right = node.args.get("this"), node.args.get("expression")
    if kind == "Between" and _is(left, name, target):
        for side, key in (("GTE", "low"), ("LTE", "high")):
            if found := _bound(schema, side, node.args[key], left, target):
                return found
        return None
    if kind == "In" and _is(left, name, target):
        return _listed(schema, node.expressions, target) if not _length(left) else None
    if kind not in _MIRRORED or left is None or right is None:
        return None
    if _is(right, name, target):
        left, right, kind = right, left, _MIRRORED[kind]
    if not _is(left, name, target):
        return None
    if kind == "EQ" and type(right).__name__ == "Any":
        inside = right.this
        while type(inside).__name__ in ("Paren", "Cast", "TryCast", "Tuple"):
            inside = inside.this if type(inside).__name__ != "Tuple" else inside.expressions[0]
        return _listed(schema, inside.expressions, target) if not _length(left) else None
    if kind == "EQ" and not _length(left):
        return _listed(schema, [right], target)
    return _bound(schema, kind, right, left, target)


def _is(node: exp.Expression | None, name: str, target: Type) -> bool:
    """Return whether `node` is the column alone: perhaps cast to text, in small letters, or its length."""
    if _length(node) and node is not None:
        return target.text_length is not None and _is(node.this, name, target)
    while type(node).__name__ in ("Cast", "TryCast", "Paren", "Lower", "Upper", "Trim") and node is not None:
        node = node.this
    return type(node).__name__ == "Column" and node is not None and node.name == name


def _length(node: exp.Expression | None) -> bool:
    return type(node).__name__ == "Length"


def _constant(schema: Schema, node: exp.Expression) -> Constant | None:
    try:
        return constant(tokens_in(node.sql(dialect="postgres")), lambda v, name: cast(v, type_of(schema, name)))
    except DoesNotFit:
        return None


def _listed(schema: Schema, nodes: list[exp.Expression], target: Type) -> Misfit | None:
    for node in nodes:
        value = _constant(schema, node)
        found = misfit(value, target) if value is not None else None
        if found:
            return found
    return None


def _bound(schema: Schema, kind: str, node: exp.Expression, left: exp.Expression | None, target: Type) -> Misfit | None:
    """Return a misfit where the values up to a bound, or down to it, leave the type's range."""
    value = _constant(schema, node)
    number = value.number if value is not None else None
    if number is None:
        return None
    if _length(left):
        least, most, what = Fraction(0), Fraction(target.text_length or 0), f"a length of {shown(number)}"
    elif target.limits and target.is_number:
        (least, most), what = target.limits, shown(number)
    else:
        return None
    step = Fraction(1) if _length(left) else _step(target)
    included = kind in ("LTE", "GTE", "EQ")
    above = number >= most + step if included else number > most + step
    below = number <= least - step if included else number < least - step
    if not above and not (below and not _length(left)):
        return None
    end = f"at most {shown(most)}" if above else f"at least {shown(least)}"
    allowed = f"it allows {what}" if included else f"it allows values up to {what}"
    wider = ""
    if not _length(left):
        whole = Constant("numeric", number)
        wider = found.wider if (found := misfit(whole, target)) else ""
    else:
        wider = f"{target.name}({shown(number)})"
    return Misfit("all", f"{allowed}, and {target} holds {end}", wider)


def _step(target: Type) -> Fraction:
    if target.name in ("numeric", "decimal", "dec") and target.arguments:
        return Fraction(10) ** -((*target.arguments, 0)[1])
    return Fraction(1, 100) if target.name == "money" else Fraction(1)
