"""Which values one column hands to another that cannot hold them: foreign keys, copies in triggers, generated columns.

A foreign key from integer to bigint can be made, and so can a history whose column is narrower than the one it keeps
the values of. Nothing fails until the first value beyond comes. What the giving column admits is its type, narrowed by
its CHECKs, its domain's, and the end of its sequence. A CHECK that cannot be read is taken to narrow it enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from squads.gates.check import CannotLook
from squads.gates.sql.changes import mentioned
from squads.gates.sql.expressions import parsed
from squads.gates.sql.fits.bounds import Misfit, Type, column_type, misfit, shown
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.fitting import Unfit, tokens_in, unfit
from squads.gates.sql.fits.sequences import drawn, sequences
from squads.gates.sql.model import Check, Column, Reference, Schema, Table
from squads.gates.sql.truth import F, Rows, outcomes
from squads.gates.sql.values import Value
from squads.gates.words import word_set

if TYPE_CHECKING:
    from sqlglot import exp

_COUNTED = ("serial", "serial4", "smallserial", "serial2", "bigserial", "serial8")


def referred(schema: Schema) -> Iterator[Unfit]:
    """Yield the columns of foreign keys that cannot hold what the columns they refer to may."""
    for table in schema.tables:
        resolved = schema.resolved(table)
        for reference in table.references if not table.foreign else ():
            target = _target(schema, table, reference)
            if target is None:
                continue
            names = reference.targets or _primary(target)
            for name, other in zip(reference.columns, names, strict=False):
                column, given = resolved.column(name), target.column(other)
                if column is None or given is None or len(names) != len(reference.columns):
                    continue
                if found := beyond(schema, target, given, column_type(schema, table, column)):
                    reason = f"it refers to {target}.{given.name}: {found.reason}"
                    one = unfit("reference", table, column, replace(found, reason=reason), column.place)
                    yield replace(one, also=(*one.also, reference.place))


def generated(schema: Schema) -> Iterator[Unfit]:
    """Yield the generated columns that are too short for texts which the columns they are made of may hold."""
    for table in schema.tables:
        resolved = schema.resolved(table)
        for column in table.columns if not table.foreign else ():
            target = column_type(schema, table, column)
            if not column.generated or target.text_length is None:
                continue
            try:
                longest = _longest(schema, resolved, parsed(column.generated))
            except (ValueError, RecursionError):
                continue
            if longest is not None and longest > target.text_length:
                reason = f"it is made of up to {longest} characters, and {target} holds {target.text_length}"
                found = Misfit("all", reason, f"{target.name}({longest})")
                yield unfit("generated", table, column, found, column.place)


def beyond(schema: Schema, table: Table, column: Column, target: Type) -> Misfit | None:
    """Return why `target` does not hold every value that `column` of `table` admits, or None where it may."""
    given = column_type(schema, table, column)
    if target.array or given.array or target.labels is not None:
        return None
    if target.text_length is not None:
        return _too_long(schema, table, column, target)
    if target.limits and given.limits and target.is_number and given.is_number:
        return _too_large(schema, table, column, given, target)
    return None


def _target(schema: Schema, table: Table, reference: Reference) -> Table | None:
    named = [t for t in schema.tables if t.name == reference.table[1] and reference.table[0] in ("", t.schema)]
    here = [t for t in named if t.schema == (reference.table[0] or table.schema)]
    found = here[-1] if here else named[0] if len(named) == 1 else None
    return schema.resolved(found) if found is not None and not found.foreign else None


def _primary(table: Table) -> tuple[str, ...]:
    return next((tuple(e.column for e in k.elements) for k in table.keys if k.primary), ())


# Text


def _too_long(schema: Schema, table: Table, column: Column, target: Type) -> Misfit | None:
    length = target.text_length or 0
    for word in words(schema, table, column):
        found = misfit(Constant("literal", text=word), target)
        if found:
            return replace(found, reason=f"{found.reason}; {table}.{column.name} may hold it")
    longest = longest_in(schema, table, column)
    if longest is None or longest <= length:
        return None
    reason = f"{table}.{column.name} may hold {longest} characters, and {target} holds {length}"
    return Misfit("all", reason, f"{target.name}({longest})")


def words(schema: Schema, table: Table, column: Column) -> tuple[str, ...]:
    """Return the texts that a CHECK, or an enum, lists as all that a column may hold; empty without such a list."""
    given = column_type(schema, table, column)
    if given.labels is not None:
        return given.labels
    found: list[str] = []
    for check, name in checks_of(schema, table, column):
        for part in conjuncts(check):
            if type(part).__name__ == "In" and _column(part.this) == name:
                found += [
                    e.name for e in map(_inner, part.expressions) if type(e).__name__ == "Literal" and e.is_string
                ]
            elif type(part).__name__ == "EQ" and _column(part.this) == name:
                inside = _inner(part.expression)
                found += [inside.name] if type(inside).__name__ == "Literal" and inside.is_string else []
    return tuple(found)


def longest_in(schema: Schema, table: Table, column: Column) -> int | None:
    """Return how long a text of a column may be at most; None where that is not known, or has no end."""
    given = column_type(schema, table, column)
    if listed := words(schema, table, column):
        return max(map(len, listed))
    longest = {"uuid": 36}.get(given.name, given.text_length)
    for check, name in checks_of(schema, table, column):
        bound = None
        for part in conjuncts(check):
            end = _length_end(part, name)
            bound = end if bound is None else bound if end is None else min(bound, end)
        if bound is None and _speaks_of_form(check, name):
            return None
        longest = bound if longest is None else longest if bound is None else min(longest, bound)
    return longest


_SAYS_NO_FORM = word_set(
    "Column Identifier Is Null Not Lower Upper NEQ EQ Trim Length GT GTE Paren Cast DataType Or Literal"
)


def _speaks_of_form(check: Check, name: str) -> bool:
    """Return whether a CHECK may bound the length of a column in a way that is not read here."""
    for part in conjuncts(check):
        nodes = list(part.walk())
        speaks = any(type(n).__name__ == "Column" and n.name == name for n in nodes)
        if speaks and any(type(n).__name__ not in _SAYS_NO_FORM for n in nodes):
            return True
    return False


def _length_end(part: exp.Expression, name: str) -> int | None:
    """Return the greatest length that a condition leaves to a column."""
    kind = type(part).__name__
    left, right = part.args.get("this"), part.args.get("expression")
    if kind in ("RegexpLike", "SimilarTo") and _column(left) == name and type(right).__name__ == "Literal":
        return _longest_match(right.name) if right is not None and kind == "RegexpLike" else None
    if left is None or not _measures(left, name):
        return None
    ends = {"Between": part.args.get("high"), "LTE": right, "EQ": right, "LT": right}
    end = ends.get(kind)
    if type(end).__name__ != "Literal" or end is None or end.is_string or not end.name.isdecimal():
        return None
    return int(end.name[:9]) - (kind == "LT")


def _measures(node: exp.Expression, name: str) -> bool:
    if type(node).__name__ == "Anonymous":
        return node.name.lower() == "octet_length" and _column(node.expressions[0]) == name
    return type(node).__name__ == "Length" and _column(node.this) == name


def _longest_match(pattern: str) -> int | None:
    """Return how long a text that fits a pattern may be; None where the pattern is open or is not read."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return None
    try:
        from re import _parser  # type: ignore[attr-defined]

        longest = int(_parser.parse(pattern).getwidth()[1])
    except (re.error, ImportError, OverflowError, RecursionError):
        return None
    return longest if longest < 100_000 else None


def _longest(schema: Schema, table: Table, node: exp.Expression) -> int | None:
    """Return the greatest length of the text that an expression gives; None where that is not known."""
    kind = type(node).__name__
    if kind == "Column":
        column = table.column(node.name)
        given = column_type(schema, table, column) if column is not None else None
        if column is None or given is None or not (given.text_length or given.labels or given.name in ("text", "uuid")):
            return None
        return longest_in(schema, table, column)
    if kind == "Literal":
        return len(node.name)
    if kind in ("DPipe", "Concat"):
        parts = [node.this, node.args["expression"]] if kind == "DPipe" else node.expressions
        sizes = [_longest(schema, table, p) for p in parts]
        return None if None in sizes else sum(s for s in sizes if s is not None)
    if kind in ("Lower", "Upper", "Initcap", "Trim", "Paren"):
        return _longest(schema, table, node.this) if not node.args.get("expression") else None
    if kind == "Coalesce":
        sizes = [_longest(schema, table, p) for p in (node.this, *node.expressions)]
        return None if None in sizes else max(s for s in sizes if s is not None)
    if kind in ("Cast", "TryCast") and node.args["to"].sql(dialect="postgres").lower() in ("text", "varchar"):
        return _longest(schema, table, node.this)
    return {"MD5": 32}.get(kind)


# Numbers


def _too_large(schema: Schema, table: Table, column: Column, given: Type, target: Type) -> Misfit | None:
    assert given.limits
    assert target.limits
    most, step = target.limits[1], Fraction(1)
    if given.limits[1] < most + step or "real" in target.name or "double" in target.name:
        return None
    if _drawn_most(schema, table, column) <= most:
        return None
    row = Rows(columns={column.name: Value(most + step, None, nullable=False)})
    for check, name in checks_of(schema, table, column):
        rows = row if name == column.name else Rows(columns={name: row.columns[column.name]})
        try:
            if outcomes(check.condition, rows, check.place) == {F}:
                return None
        except CannotLook:
            return None
        ends = replace(rows, columns={name: Value(most + step, most + step, nullable=False)})
        if outcomes(check.condition, ends, check.place) == {F}:
            return None
    reason = f"{table}.{column.name} may hold {shown(given.limits[1])}, and {target} holds at most {shown(most)}"
    return Misfit("all", reason, str(given) if given.name not in _COUNTED else "bigint")


def _drawn_most(schema: Schema, table: Table, column: Column) -> Fraction:
    """Return the last number that a column's sequence gives out; no end where the column has none."""
    if column.identity_max.isdecimal():
        return Fraction(int(column.identity_max))
    name = drawn(tokens_in(column.default))
    known = sequences(schema)
    owned = known.get(name) or known.get(f"{table.name}_{column.name}_seq")
    return Fraction(owned.most) if owned else Fraction(2) ** 200


# Conditions


def checks_of(schema: Schema, table: Table, column: Column) -> Iterator[tuple[Check, str]]:
    """Yield the CHECKs on a column with the name that each has for it."""
    for check in table.checks:
        if mentioned(check.condition, (column.name,)):
            yield check, column.name
    for domain in schema.domains_of(column.type):
        for check in domain.checks:
            yield check, "value"


def conjuncts(check: Check) -> Iterator[exp.Expression]:
    """Yield what must hold all together for a CHECK to hold."""
    try:
        waiting = [parsed(check.condition)]
    except (ValueError, RecursionError):
        return
    while waiting:
        part = waiting.pop()
        if type(part).__name__ == "And":
            waiting += [part.args["expression"], part.args["this"]]
        else:
            yield part


def _inner(node: exp.Expression) -> exp.Expression:
    while type(node).__name__ in ("Cast", "TryCast", "Paren"):
        node = node.this
    return node


def _column(node: exp.Expression | None) -> str:
    if node is None:
        return ""
    node = _inner(node)
    return str(node.name) if type(node).__name__ == "Column" else ""
