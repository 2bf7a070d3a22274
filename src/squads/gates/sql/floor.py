"""Whether the database itself keeps a column from going below zero: a proof from its CHECKs, not from their spelling.

A column is guarded when some CHECK (its table's, its parents', its domain's) is FALSE for every negative value of it,
whatever the other columns hold. What other CHECKs prove is used: `reserved >= 0` and `on_hand >= reserved` together
keep `on_hand` from zero downwards. A generated column is also guarded when its expression cannot be negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from squads.gates.check import CannotLook
from squads.gates.sql.changes import mentioned
from squads.gates.sql.expressions import parsed, spelled
from squads.gates.sql.model import Check, Column, Schema, Table
from squads.gates.sql.stores import scale_of
from squads.gates.sql.truth import F, Rows, outcomes, value_of
from squads.gates.sql.values import ZERO, Value

_VALUE = "value"
"""What a domain's CHECK calls the value."""


def guarded(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether `table`, which must be resolved, refuses every row with a negative `column`.

    One that refuses every row, as the empty parent of tables that inherit does with CHECK (false), refuses those too.
    """
    if any(_never(check) for check in table.checks):
        return True
    known: dict[str, Value] = {}
    candidates = [c for c in _companions(table, column) if scale_of(schema, c)[0]]
    growing = True
    while growing:
        growing = False
        for other in candidates:
            if other.name not in known and _holds(schema, table, other, known):
                if other.name == column.name:
                    return True
                known[other.name] = Value(low=ZERO, nullable=other.name not in table.not_null)
                growing = True
    return False


def unclamped(table: Table, column: Column) -> tuple[Table, Column]:
    """Return a table and a column generated as `greatest(a - b, 0)` as if nothing hid that `a - b` is negative."""
    try:
        tree = parsed(column.generated) if column.generated else None
    except ValueError:
        return table, column
    if tree is None or type(tree).__name__ != "Greatest":
        return table, column
    given = [tree.args["this"], *tree.expressions]
    shown = [g for g in given if type(g).__name__ != "Literal"]
    if len(shown) != 1 or len(given) != 2 or type(shown[0]).__name__ != "Sub":
        return table, column
    bare = replace(column, generated=shown[0].sql(dialect="postgres"))
    columns = tuple(bare if c is column else c for c in table.columns)
    checks = tuple(c for c in table.checks if not mentioned(c.condition, (column.name,)))
    return replace(table, columns=columns, checks=checks), bare


def _never(check: Check) -> bool:
    """Return whether a CHECK refuses every row; one that is hard to read does not, as far as this is asked."""
    try:
        return outcomes(check.condition, Rows(), check.place) == {F}
    except CannotLook:
        return False


def checks_on(schema: Schema, table: Table, column: Column) -> list[Check]:
    """Return the CHECKs that speak of `column`."""
    own = [c for c in table.checks if mentioned(c.condition, (column.name,))]
    return [*own, *(check for domain in schema.domains_of(column.type) for check in domain.checks)]


def _companions(table: Table, column: Column) -> list[Column]:
    """Return `column` and every column that a CHECK or a generation mentions together with it, directly or not."""
    texts = [*(c.condition for c in table.checks), *(c.generated for c in table.columns if c.generated)]
    names = [c.name for c in table.columns]
    groups = [set(mentioned(t, names)) for t in texts]
    found = {column.name} | (set(mentioned(column.generated, names)) if column.generated else set())
    for _ in groups:
        found |= set().union(*(g for g in groups if g & found))
    return [c for c in table.columns if c.name in found]


def _holds(schema: Schema, table: Table, column: Column, known: dict[str, Value]) -> bool:
    """Return whether one CHECK, or the column's own expression, rules out that `column` is negative."""
    scale = scale_of(schema, column)[1]
    step = None if scale is None else Fraction(1, 10**scale) if scale >= 0 else Fraction(10 ** (-scale))
    negative = Value(high=ZERO if step is None else -step, high_open=step is None, nullable=False)
    columns = {name: Value(nullable=False) for name in table.not_null} | known
    for check in table.checks:
        if not mentioned(check.condition, (column.name, *_sources(table, column))):
            continue
        rows = Rows(
            columns={**columns, column.name: negative},
            expressions=_whole(column, negative),
            difference=_difference(column, negative),
        )
        if outcomes(check.condition, rows, check.place) == {F}:
            return True
    for check in _domain_checks(schema, column):
        if outcomes(check.condition, Rows(columns={_VALUE: negative}), check.place) == {F}:
            return True
    return bool(column.generated) and value_of(column.generated, Rows(columns=columns), column.place).at_least_zero


def _whole(column: Column, negative: Value) -> dict[str, Value]:
    """Say that the whole expression of a generated column is negative, as CHECKs may spell it out."""
    try:
        tree = parsed(column.generated) if column.generated else None
    except ValueError:
        return {}
    return {spelled(tree): negative} if tree is not None and type(tree).__name__ in ("Sub", "Add") else {}


def _domain_checks(schema: Schema, column: Column) -> Iterator[Check]:
    for domain in schema.domains_of(column.type):
        yield from domain.checks


def _sources(table: Table, column: Column) -> tuple[str, ...]:
    return mentioned(column.generated, (c.name for c in table.columns)) if column.generated else ()


def _difference(column: Column, negative: Value) -> tuple[str, str, Value] | None:
    """For a column generated as `a - b`, say that this difference is negative: CHECK (a >= b) then rules it out."""
    if not column.generated:
        return None
    try:
        tree = parsed(column.generated)
    except ValueError:
        return None
    if type(tree).__name__ != "Sub":
        return None
    return spelled(tree.args["this"]), spelled(tree.args["expression"]), negative
