"""Which rows a unique key leaves free to repeat, because NULL stands in one of its members.

For every way in which members of a key can be NULL, the question is whether some key of the table still holds those
rows apart. It does if its members are made of this key's columns, none of them NULL in those rows, and its predicate
is TRUE there. So two partial indexes, `WHERE c IS NULL` and `WHERE c IS NOT NULL`, cover each other, an index on
`COALESCE(c, 0)` covers all, and a unique subset of the columns covers the whole key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from squads.gates.sql.changes import mentioned
from squads.gates.sql.expressions import columns_of, parsed, spelled
from squads.gates.sql.model import Element, Key, Schema, Table
from squads.gates.sql.truth import F, N, Outcomes, Rows, T, assuming, outcomes, value_of
from squads.gates.sql.values import ANYTHING, NULL, Value

_MEMBERS_MAX = 6
"""Above this many nullable members only one-by-one and all-together are looked at: 2 to the power of n is too many."""
_OWNERS_MAX = 5
"""How many other owners are told apart: each doubles the cases."""
_THERE = Value(nullable=False)
_NOT_EMPTY = re.compile(r"(?:<>|!=)\s*''|\blength\s*\([^<>]*\)\s*(?:>\s*0|>=\s*1)")
_DELIBERATE = frozenset(("Nullif", "Case"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that may repeat: these members NULL at the same time, no other member NULL."""

    members: tuple[Element, ...]
    excluded: bool = False
    """The key's own predicate leaves these rows out, which says so in plain sight."""
    certain: bool = True
    """False when the artifact does not say whether the members may be NULL."""


def resolved(schema: Schema, declared: Table) -> Table:
    """Return `declared` with what it inherits, and NOT NULL wherever a domain or a generation leaves no choice."""
    table = schema.resolved(declared)
    never = set(table.not_null)
    for column in table.columns:
        for domain in schema.domains_of(column.type):
            if any(outcomes(c.condition, Rows(columns={"value": NULL}), c.place) == {F} for c in domain.checks):
                never.add(column.name)
    rows = Rows(columns=dict.fromkeys(never, _THERE))
    for column in table.columns:
        if column.generated and not value_of(column.generated, rows, column.place).nullable:
            never.add(column.name)
    return replace(table, not_null=frozenset(never))


def gaps(table: Table, key: Key) -> list[Gap]:
    """Return the ways in which rows equal on `key` can repeat in `table`, which must be `resolved`."""
    if key.primary or not key.nulls_distinct:
        return []
    members = [m for m in key.elements if _may_be_null(table, m) is not False]
    found: list[Gap] = []
    sizes = range(1, len(members) + 1) if len(members) <= _MEMBERS_MAX else (1, len(members))
    for size in sizes:
        for nulls in combinations(members, size):
            if any(set(gap.members) <= set(nulls) for gap in found):
                continue  # already told in its simplest form
            rows = _rows(table, key, nulls)
            where = key.place
            excluded = bool(key.predicate) and T not in outcomes(key.predicate, rows, where)
            taken = frozenset().union(*(_columns(m) for m in nulls)) if excluded else frozenset()
            rows = assuming(rows, key.predicate, where, except_on=taken)
            if _held(table, key, rows):
                continue
            certain = all(_may_be_null(table, m) for m in nulls)
            found.append(Gap(members=nulls, excluded=excluded, certain=certain))
    return found


def deliberate(table: Table, element: Element) -> bool:
    """Return whether a member is made to be NULL at times: NULLIF(x, ''), CASE WHEN active THEN x END.

    It may be written into the key, or be a generated column.
    """
    column = table.column(element.column)
    expression = element.expression or (column.generated if column else "")
    kind = type(parsed(expression)).__name__ if expression else ""
    if kind == "Nullif" and any(_already(table, name) for name in columns_of(expression)):
        return False
    if kind != "Case":
        return kind in _DELIBERATE
    # CASE WHEN deleted_at IS NOT NULL THEN email END is NULL in just those rows that are most there.
    plain = {name: (_THERE if name in table.not_null else NULL) for name in columns_of(expression)}
    return NULL not in plain.values() or value_of(expression, Rows(columns=plain)).present


def _already(table: Table, name: str) -> bool:
    """Return whether a column is NULL by itself, as a CHECK keeps out the empty text that NULLIF would make NULL."""
    return name not in table.not_null and any(
        _NOT_EMPTY.search(c.condition) for c in table.checks if mentioned(c.condition, (name,))
    )


def columns_in(key: Key) -> frozenset[str]:
    """Return every column that `key`'s members read."""
    return frozenset().union(*(_columns(e) for e in key.elements))


def _columns(element: Element) -> frozenset[str]:
    return frozenset((element.column,)) if element.column else columns_of(element.expression)


def _may_be_null(table: Table, element: Element) -> bool | None:
    """Return whether `element` may be NULL in some row; None when the artifact does not say."""
    if element.expression:
        rows = Rows(columns=dict.fromkeys(table.not_null, _THERE))
        if not value_of(element.expression, rows).nullable:
            return False
        known = [_may_be_null(table, Element(column=name)) for name in columns_of(element.expression)]
        return True if True in known or None not in known else None
    if element.column in table.not_null:
        return False
    if table.column(element.column) or table.from_query:
        return True
    return None


def _rows(table: Table, key: Key, nulls: tuple[Element, ...]) -> Rows:
    """Return the rows in which exactly the members `nulls` of `key` are NULL."""
    columns = dict.fromkeys(table.not_null, _THERE)
    columns |= {e.column: _THERE for e in key.elements if e.column}
    expressions = {spelled(parsed(e.expression)): _THERE for e in key.elements if e.expression}
    for element in nulls:
        if element.column:
            columns[element.column] = NULL
            continue
        expressions[spelled(parsed(element.expression))] = NULL
        free = [c for c in columns_of(element.expression) if columns.get(c, ANYTHING).nullable]
        without_nulls = Rows(columns=columns | dict.fromkeys(free, _THERE))
        if len(free) == 1 and not value_of(element.expression, without_nulls).nullable:
            columns[free[0]] = NULL
    return Rows(columns=columns, expressions=expressions)


def _kept_out(table: Table, rows: Rows) -> bool:
    """Return whether a CHECK keeps such rows out of the table."""
    told = [name for name, value in rows.columns.items() if value != _THERE]
    return any(
        outcomes(check.condition, rows, check.place) == {F}
        for check in table.checks
        if mentioned(check.condition, told)
    )


def _held(table: Table, key: Key, rows: Rows, owners: frozenset[str] = frozenset(), *, left: int = _OWNERS_MAX) -> bool:
    """Return whether `rows` that agree on all members of `key` are kept apart, or kept out.

    Where a key has one of several owners (`post_id`, `comment_id`) and this one is NULL, CHECKs may demand another one,
    and that one's key holds for it. So both cases are looked at: the other owner is there, or NULL as well.

    Args:
        table: Resolved.
        key: The key whose rows they are.
        rows: The rows.
        owners: The other owners that are there in these rows.
        left: How many more owners are told apart.
    """
    if _kept_out(table, rows) or any(_covers(table, other, key, rows, owners) for other in table.keys):
        return True
    told = frozenset(rows.columns)
    column = next((c for o in table.keys if (c := _owner(table, o, key)) and c not in told), "")
    if not column or not left:
        return False
    without = replace(rows, columns={**rows.columns, column: NULL})
    beside = replace(rows, columns={**rows.columns, column: _THERE})
    return _held(table, key, without, owners, left=left - 1) and _held(
        table, key, beside, owners | {column}, left=left - 1
    )


def _owner(table: Table, other: Key, key: Key) -> str:
    """Return the one nullable column of `other` that `key` does not have, empty where there is not just one."""
    outside = [e for e in other.elements if not _made_of(table, e, key)]
    column = outside[0].column if len(outside) == 1 else ""
    if not column or column in table.not_null:
        return ""
    without = Rows(columns={**dict.fromkeys(table.not_null, _THERE), column: NULL})
    return "" if _kept_out(table, without) else column


def _covers(table: Table, other: Key, key: Key, rows: Rows, owners: frozenset[str]) -> bool:
    """Return whether `other` keeps apart those `rows` that agree on all members of `key`."""
    outside = [e for e in other.elements if not _made_of(table, e, key)]
    if outside and not (len(outside) == 1 and outside[0].column in owners):
        return False
    if other.nulls_distinct and any(
        value_of(e.expression or _as_expression(e.column), rows, other.place).nullable for e in other.elements
    ):
        return False
    if not other.predicate:
        return True
    holds: Outcomes = outcomes(other.predicate, rows, other.place)
    # Or by contradiction: it is not TRUE only in rows that a CHECK keeps out.
    excepted = assuming(rows, f"NOT ({other.predicate})", other.place)
    return holds == {T} or (N not in holds and _kept_out(table, excepted))


def _made_of(table: Table, element: Element, key: Key) -> bool:
    """Return whether equal members of `key` make `element` equal too."""
    if element in key.elements:
        return True
    if element.expression and spelled(parsed(element.expression)) in _spelled_members(key):
        return True
    plain = {e.column for e in key.elements if e.column}
    column = table.column(element.column)
    return _columns(Element(expression=column.generated) if column and column.generated else element) <= plain


def _spelled_members(key: Key) -> Iterator[str]:
    return (spelled(parsed(e.expression)) for e in key.elements if e.expression)


def _as_expression(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
