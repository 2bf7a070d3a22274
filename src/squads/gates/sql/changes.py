"""What a statement does to one table: pure functions from table to table.

They follow PostgreSQL: constraints without a name get the name it would choose, so that a later DROP CONSTRAINT finds
them; dropping a column takes its keys and checks along; dropping a primary key leaves NOT NULL behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from squads.gates.place import Place
from squads.gates.sql.definitions import Parts
from squads.gates.sql.model import Element, Key, Table, quoted

_NAME_BYTES_MAX = 63
_NOT_NULL_NAME = re.compile(r"_not_null\d*$")
_PIECE = re.compile(r"""'[^']*(?:''[^']*)*'|"(?P<quoted>[^"]*(?:""[^"]*)*)"|(?P<word>[^\W\d][\w$]*)(?P<call>\s*\()?""")


def with_parts(table: Table, parts: Parts) -> Table:
    """Return `table` with the columns and constraints of `parts` added."""
    have = {c.name for c in table.columns}
    table = replace(
        table,
        columns=(*table.columns, *(c for c in parts.columns if c.name not in have)),
        not_null=table.not_null | parts.not_null,
    )
    for check in parts.checks:
        used = mentioned(check.condition, (c.name for c in table.columns))
        name = check.name or _chosen(table, used if len(used) == 1 else (), "check")
        table = replace(table, checks=(*table.checks, replace(check, name=name)))
    for key in parts.keys:
        table = with_key(table, key)
    references = iter(parts.references)
    for name, columns, label in parts.others:
        called = name or _chosen(table, columns, label)
        table = replace(table, others=table.others | {called})
        if label == "not_null" and name:
            table = replace(table, named_not_null=(*table.named_not_null, (name, columns[0])))
        if label == "fkey" and (reference := next(references, None)):
            table = replace(table, references=(*table.references, replace(reference, name=called)))
    return table


def with_key(table: Table, key: Key) -> Table:
    """Return `table` with `key` added; a primary key makes its columns NOT NULL."""
    columns = [e.column or "expr" for e in key.elements]
    label = "idx" if key.index else "key"
    name = key.name or (_chosen(table, (), "pkey") if key.primary else _chosen(table, columns, label))
    not_null = {e.column for e in key.elements if e.column} if key.primary else set()
    return replace(table, keys=(*table.keys, replace(key, name=name)), not_null=table.not_null | not_null)


def without_column(table: Table, name: str) -> Table:
    """Return `table` after DROP COLUMN: keys and checks that use the column go with it."""
    return replace(
        table,
        columns=tuple(c for c in table.columns if c.name != name),
        not_null=table.not_null - {name},
        keys=tuple(k for k in table.keys if not _uses(k, name)),
        checks=tuple(c for c in table.checks if not mentioned(c.condition, (name,))),
        references=tuple(r for r in table.references if name not in r.columns),
    )


def with_lost(before: Table, after: Table, place: Place) -> Table:
    """Return `after` with a note of what a statement at `place` took away from `before`."""
    names = [c.name for c in before.columns]
    gone = [frozenset(mentioned(c.condition, names)) for c in before.checks if c not in after.checks]
    for key in before.keys:
        if key not in after.keys and not any(k.elements == key.elements for k in after.keys):
            told = [t for e in key.elements for t in (e.column, *mentioned(e.expression, names)) if t]
            gone.append(frozenset((*told, *mentioned(key.predicate, names))))
    gone += [frozenset((name,)) for name in before.not_null - after.not_null if after.column(name)]
    return replace(after, lost=(*after.lost, *((names_lost, place) for names_lost in gone))) if gone else after


def with_column_renamed(table: Table, old: str, new: str, place: Place) -> Table:
    """Return `table` after RENAME COLUMN: expressions follow, names of constraints stay."""

    def element(e: Element) -> Element:
        return Element(column=new) if e.column == old else Element(e.column, renamed(e.expression, old, new))

    return replace(
        table,
        columns=tuple(
            replace(c, name=new, place=place) if c.name == old else replace(c, generated=renamed(c.generated, old, new))
            for c in table.columns
        ),
        not_null=frozenset(new if n == old else n for n in table.not_null),
        keys=tuple(
            replace(k, elements=tuple(map(element, k.elements)), predicate=renamed(k.predicate, old, new))
            for k in table.keys
        ),
        checks=tuple(replace(c, condition=renamed(c.condition, old, new)) for c in table.checks),
        references=tuple(
            replace(r, columns=tuple(new if n == old else n for n in r.columns)) for r in table.references
        ),
    )


def with_column_changed(table: Table, name: str, **changes: str | Place) -> Table:
    """Return `table` with fields of one column replaced."""
    return replace(
        table,
        columns=tuple(replace(c, **changes) if c.name == name else c for c in table.columns),  # type: ignore[arg-type]
    )


def without_constraint(table: Table, name: str) -> Table | None:
    """Return `table` after DROP CONSTRAINT, or None when it has none of that name."""
    if any(k.name == name and not k.index for k in table.keys):
        return replace(table, keys=tuple(k for k in table.keys if k.name != name))
    if any(c.name == name for c in table.checks):
        return replace(table, checks=tuple(c for c in table.checks if c.name != name))
    if column := dict(table.named_not_null).get(name):
        return replace(table, others=table.others - {name}, not_null=table.not_null - {column})
    if ended := _NOT_NULL_NAME.search(name):  # PostgreSQL 18 names them, earlier ones do not
        columns = {c for c in table.not_null if name[: ended.start()].endswith(f"_{c}")}
        if columns:
            return replace(table, others=table.others - {name}, not_null=table.not_null - {max(columns, key=len)})
    if name not in table.others:
        return None
    kept = tuple(r for r in table.references if r.name != name)
    return replace(table, others=table.others - {name}, references=kept)


def with_constraint_renamed(table: Table, old: str, new: str) -> Table:
    """Return `table` after RENAME CONSTRAINT, or after ALTER INDEX ... RENAME."""
    return replace(
        table,
        keys=tuple(replace(k, name=new) if k.name == old else k for k in table.keys),
        checks=tuple(replace(c, name=new) if c.name == old else c for c in table.checks),
        others=frozenset(new if n == old else n for n in table.others),
    )


def copied(table: Table, source: Table, included: frozenset[str], place: Place) -> Table:
    """Return `table` after LIKE `source`: columns and NOT NULL always, the rest only if it is included."""
    parts = Parts(not_null=set(source.not_null))
    for column in source.columns:
        generated = column.generated if "generated" in included else ""
        default = column.default if "defaults" in included else ""
        parts.columns.append(replace(column, generated=generated, default=default, default_place=place, place=place))
    if "constraints" in included:
        parts.checks = [replace(c, place=place) for c in source.checks]
    if "indexes" in included:
        parts.keys = [replace(k, name="", place=place) for k in source.keys]
    return replace(with_parts(table, parts), complete=table.complete and source.complete)


def mentioned(expression: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return which of the columns `names` stand in `expression`."""
    found = set()
    for piece in _PIECE.finditer(expression):
        if piece["word"] and not piece["call"]:
            found.add(piece["word"].lower())
        elif piece["quoted"] is not None:
            found.add(piece["quoted"].replace('""', '"'))
    return tuple(n for n in names if n in found)


def renamed(expression: str, old: str, new: str) -> str:
    """Return `expression` with the column `old` called `new`."""

    def piece(found: re.Match[str]) -> str:
        word = found["word"].lower() if found["word"] and not found["call"] else None
        name = found["quoted"].replace('""', '"') if found["quoted"] is not None else word
        return quoted(new) if name == old else found[0]

    return _PIECE.sub(piece, expression)


def _uses(key: Key, column: str) -> bool:
    texts = [key.predicate, *(e.expression for e in key.elements)]
    return any(e.column == column for e in key.elements) or any(mentioned(t, (column,)) for t in texts)


def _chosen(table: Table, columns: Iterable[str], label: str) -> str:
    """Return the name PostgreSQL would choose (ChooseConstraintName and makeObjectName in its sources)."""
    taken = {k.name for k in table.keys} | {c.name for c in table.checks} | table.others
    first, second = table.name, "_".join(columns)
    number = 0
    while True:
        ending = f"_{label}{number or ''}"
        one, two = first, second
        while len((one + (f"_{two}" if two else "") + ending).encode()) > _NAME_BYTES_MAX:
            if len(one) > len(two):
                one = one[:-1]
            else:
                two = two[:-1]
        name = one + (f"_{two}" if two else "") + ending
        if name not in taken:
            return name
        number += 1
