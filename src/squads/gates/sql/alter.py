"""ALTER TABLE, applied to a catalog. An action that is not in this file is `CannotLook`, never skipped."""

from __future__ import annotations

from dataclasses import replace

from squads.gates.sql.catalog import Catalog
from squads.gates.sql.changes import (
    with_column_changed,
    with_column_renamed,
    with_constraint_renamed,
    with_lost,
    with_parts,
    without_column,
    without_constraint,
)
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.definitions import Parts, read_column, read_table_constraint, read_type
from squads.gates.sql.lex import split, text_of
from squads.gates.sql.model import Table, TableName
from squads.gates.words import word_set

_NO_NEWS = word_set("owner enable disable force no cluster reset replica of not validate set inherit")
"""First words of actions that change neither columns nor keys nor checks; `set schema` and `inherit` come before."""


def alter_table(catalog: Catalog, cursor: Cursor) -> None:
    """Apply what follows ALTER TABLE."""
    if cursor.accept("all", "in", "tablespace"):
        return
    cursor.accept("if", "exists")
    cursor.accept("only")
    written = cursor.qualified()
    cursor.accept("*")
    if written[1] in catalog.views and catalog.find(written) is None:
        return
    name = catalog.named(written)
    if cursor.accept("rename"):
        _rename(catalog, cursor, name)
        return
    for action in split(cursor.rest()):
        if not action:
            cursor.fail("an action between two commas is empty")
        inner = Cursor(cursor.source, action)
        if inner.accept("set", "schema"):
            new = (inner.name(), name[1])
            if name in catalog.tables:
                catalog.move(name, new)
            name = new
            continue
        table = catalog.touch(name, cursor.place())
        place = inner.source.place(inner.tokens[0].start, inner.tokens[-1].end)
        catalog.put(with_lost(table, _changed(catalog, inner, table), place))


def _changed(catalog: Catalog, cursor: Cursor, table: Table) -> Table:
    """Return `table` after one action."""
    place = cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end)
    if cursor.accept("add"):
        return _added(cursor, table)
    if cursor.accept("drop"):
        return _dropped(cursor, table)
    if cursor.accept("alter", "constraint"):
        return table  # only deferrability, and enforcement of foreign keys
    if cursor.accept("alter"):
        cursor.accept("column")
        return _column_changed(cursor, table)
    if cursor.accept("attach", "partition"):
        child = catalog.touch(cursor.qualified(), place)
        catalog.put(replace(child, parents=(*child.parents, table.full_name), partition=True))
        return table
    if cursor.accept("detach", "partition") or cursor.accept("no", "inherit"):
        return table
    if cursor.accept("inherit"):
        return replace(table, parents=(*table.parents, catalog.named(cursor.qualified())))
    if cursor.peek() in _NO_NEWS:
        return table
    return cursor.fail("an ALTER TABLE action that is not known")


def _added(cursor: Cursor, table: Table) -> Table:
    parts = Parts()
    if (using := _using_index(cursor)) is not None:
        return _constraint_from_index(cursor, table, *using)
    if cursor.ahead("column") or not read_table_constraint(cursor, parts):
        cursor.accept("column")
        exists_ok = cursor.accept("if", "not", "exists")
        read_column(cursor, parts)
        if exists_ok and table.column(parts.columns[0].name):
            return table  # PostgreSQL skips the whole action, constraints included
    return with_parts(table, parts)


def _using_index(cursor: Cursor) -> tuple[str, str, bool] | None:
    """Return (constraint, index, primary) of ADD ... USING INDEX, or None when it is something else."""
    mark = cursor.at
    name = cursor.name() if cursor.accept("constraint") else ""
    primary = cursor.accept("primary", "key")
    if (primary or cursor.accept("unique")) and cursor.accept("using", "index"):
        index = cursor.name()
        return (name or index, index, primary)
    cursor.at = mark
    return None


def _constraint_from_index(cursor: Cursor, table: Table, name: str, index: str, primary: bool) -> Table:
    found = next((k for k in table.keys if k.name == index), None)
    if found is None:
        cursor.fail(f"the index {index!r} is not in this artifact; add the file that creates it")
    made = replace(found, name=name, index=False, primary=primary)
    columns = {e.column for e in made.elements if e.column} if primary else set()
    return replace(table, keys=tuple(made if k is found else k for k in table.keys), not_null=table.not_null | columns)


def _dropped(cursor: Cursor, table: Table) -> Table:
    constraint = cursor.accept("constraint")
    if not constraint:
        cursor.accept("column")
    exists_ok = cursor.accept("if", "exists")
    name = cursor.name()
    if not constraint:
        return without_column(table, name)
    changed = without_constraint(table, name)
    if changed is not None:
        return changed
    if not table.complete:
        return replace(table, unseen=(*table.unseen, ("drop constraint", name, cursor.place())))
    if not exists_ok:
        cursor.fail(f"{table} has no constraint {name!r} here; name it where it is made, or add the file that makes it")
    return table


def _column_changed(cursor: Cursor, table: Table) -> Table:
    name = cursor.name()
    if cursor.accept("set", "not", "null"):
        return replace(table, not_null=table.not_null | {name})
    if cursor.accept("drop", "not", "null"):
        table = replace(table, not_null=table.not_null - {name})
        if table.column(name) is None and not table.complete:
            table = replace(table, unseen=(*table.unseen, ("drop not null", name, cursor.place())))
        return table
    if cursor.accept("set", "data", "type") or cursor.accept("type"):
        new_type = read_type(cursor)
        place = cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end)
        return with_column_changed(table, name, type=new_type, type_place=place)
    if cursor.accept("drop", "expression"):
        return with_column_changed(table, name, generated="")
    if cursor.accept("set", "expression", "as"):
        return with_column_changed(table, name, generated=text_of(cursor.group()))
    if cursor.accept("add", "generated"):
        return replace(table, not_null=table.not_null | {name})
    if cursor.accept("set", "default"):
        place = cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end)
        return with_column_changed(table, name, default=text_of(cursor.rest()), default_place=place)
    if cursor.accept("drop", "default"):
        return with_column_changed(table, name, default="")
    if cursor.peek() in ("set", "drop", "reset", "restart", "options", "add"):
        return table  # statistics, storage, identity's sequence
    return cursor.fail("an ALTER COLUMN action that is not known")


def _rename(catalog: Catalog, cursor: Cursor, name: TableName) -> None:
    """Apply what follows ALTER TABLE name RENAME."""
    if cursor.accept("to"):
        if name in catalog.tables:
            catalog.move(name, (name[0], cursor.name()))
        return
    table = catalog.touch(name, cursor.place())
    if cursor.accept("constraint"):
        old = cursor.name()
        cursor.expect("to")
        catalog.put(with_constraint_renamed(table, old, cursor.name()))
        return
    cursor.accept("column")
    old = cursor.name()
    cursor.expect("to")
    new = cursor.name()
    if table.column(old) is None and not table.complete:
        table = replace(table, unseen=(*table.unseen, ("rename", new, cursor.place())))
    catalog.put(with_column_renamed(table, old, new, cursor.place()))
    for child in [t for t in catalog.tables.values() if name in t.parents]:
        catalog.put(with_column_renamed(child, old, new, cursor.place()))
