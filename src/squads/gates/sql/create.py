"""CREATE TABLE, CREATE UNIQUE INDEX, CREATE DOMAIN and ALTER DOMAIN, applied to a catalog."""

from __future__ import annotations

from dataclasses import replace

from squads.gates.sql.catalog import Catalog
from squads.gates.sql.changes import copied, with_key, with_parts
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.definitions import read_elements, read_items, skip_index_parameters
from squads.gates.sql.lex import Token, split, text_of
from squads.gates.sql.model import Check, Column, Domain, Key, Table


def create_table(catalog: Catalog, cursor: Cursor, *, temporary: bool = False, foreign: bool = False) -> None:
    """Apply what follows CREATE ... TABLE."""
    exists_ok = cursor.accept("if", "not", "exists")
    schema, name = cursor.qualified()
    full_name = (schema or ("pg_temp" if temporary else catalog.search_schema), name)
    table = Table(schema=full_name[0], name=name, temporary=temporary, foreign=foreign, place=cursor.source.place(0, 1))
    if cursor.accept("partition", "of"):
        table = _partition(catalog, cursor, table)
    elif cursor.ahead("of"):
        cursor.fail("tables OF a type are not read; list the columns")
    elif cursor.peek() == "(":
        table = _defined(catalog, cursor, table)
    else:
        table = replace(table, from_query=True)
    table = _tail(catalog, cursor, table)
    table = replace(table, place=cursor.place(), dialect=cursor.source.dialect)
    earlier = catalog.tables.get(full_name)
    if exists_ok and earlier is not None and earlier.complete:
        return  # PostgreSQL keeps the first definition, whatever the second one promises
    catalog.create(table)


def create_unique_index(catalog: Catalog, cursor: Cursor) -> None:
    """Apply what follows CREATE UNIQUE INDEX."""
    cursor.accept("concurrently")
    cursor.accept("if", "not", "exists")
    name = "" if cursor.ahead("on") else cursor.qualified()[1]
    cursor.expect("on")
    cursor.accept("only")
    target = cursor.qualified()
    if cursor.accept("using"):
        cursor.name()
    elements = read_elements(cursor.source, cursor.group())
    skip_index_parameters(cursor)
    distinct = not cursor.accept("nulls", "not", "distinct")
    cursor.accept("nulls", "distinct")
    skip_index_parameters(cursor)
    predicate = text_of(cursor.rest()) if cursor.accept("where") else ""
    if not cursor.done:
        cursor.fail("something in an index that is not known")
    if target[1] in catalog.views and catalog.find(target) is None:
        return  # a materialised view holds what its query gives; nobody inserts into it
    if name and any(k.name == name for t in catalog.tables.values() for k in t.keys if t.name == target[1]):
        return  # IF NOT EXISTS, or an error in PostgreSQL: the first one stays
    key = Key(
        name=name, elements=elements, predicate=predicate, nulls_distinct=distinct, index=True, place=cursor.place()
    )
    catalog.put(with_key(catalog.touch(target, key.place), key))


def create_domain(catalog: Catalog, cursor: Cursor) -> None:
    """Apply what follows CREATE DOMAIN."""
    name = cursor.qualified()[1]
    cursor.accept("as")
    # A domain reads like a column: type, default, constraints. The name in front is a stand-in.
    parts = read_items(cursor.source, [_stand_in(cursor), *cursor.rest()])
    catalog.domains[name] = Domain(
        name=name,
        type=parts.columns[0].type,
        not_null=bool(parts.not_null),
        checks=tuple(_named(c, f"{name}_check{n or ''}") for n, c in enumerate(parts.checks)),
        default=parts.columns[0].default,
        place=cursor.place(),
    )


def alter_domain(catalog: Catalog, cursor: Cursor) -> None:
    """Apply what follows ALTER DOMAIN."""
    cursor.accept("if", "exists")
    name = cursor.qualified()[1]
    domain = catalog.domains.get(name)
    if cursor.ahead("rename", "to"):
        cursor.expect("rename", "to")
        if domain:
            catalog.domains[cursor.name()] = domain
        return
    if domain is None:
        cursor.fail(f"the domain {name!r} is not in this artifact; add the file that creates it")
    if cursor.accept("set", "not", "null"):
        domain = replace(domain, not_null=True)
    elif cursor.accept("drop", "not", "null"):
        domain = replace(domain, not_null=False, lost=cursor.place())
    elif cursor.accept("set", "default"):
        domain = replace(domain, default=text_of(cursor.rest()), place=cursor.place())
    elif cursor.accept("drop", "default"):
        domain = replace(domain, default="")
    elif cursor.accept("drop", "constraint"):
        cursor.accept("if", "exists")
        dropped = cursor.name()
        kept = tuple(c for c in domain.checks if c.name != dropped)
        domain = replace(domain, checks=kept, lost=cursor.place())
    elif cursor.accept("add"):
        parts = read_items(
            cursor.source, [_stand_in(cursor), _stand_in(cursor)._replace(value="numeric"), *cursor.rest()]
        )
        added = tuple(_named(c, f"{name}_check{len(domain.checks) or ''}") for c in parts.checks)
        domain = replace(domain, checks=(*domain.checks, *added), not_null=domain.not_null or bool(parts.not_null))
    catalog.domains[name] = domain


def alter_type(catalog: Catalog, cursor: Cursor) -> None:
    """Apply what follows ALTER TYPE: its name and an enum's labels; attributes of composites are not read."""
    name = cursor.qualified()[1]
    labels = catalog.labels.get(name)
    if cursor.accept("rename", "to"):
        catalog.rename_type(name, cursor.name())
    elif cursor.accept("add", "value"):
        cursor.accept("if", "not", "exists")
        added = cursor.take().value
        if labels is not None and added not in labels:
            catalog.labels[name] = (*labels, added)
    elif cursor.accept("rename", "value"):
        old = cursor.take().value
        cursor.expect("to")
        new = cursor.take().value
        if labels is not None:
            catalog.labels[name] = tuple(new if label == old else label for label in labels)


def _stand_in(cursor: Cursor) -> Token:
    return cursor.tokens[0]._replace(kind="quoted", text="value", value="value")


def _named(check: Check, name: str) -> Check:
    return check if check.name else replace(check, name=name)


def _defined(catalog: Catalog, cursor: Cursor, table: Table) -> Table:
    """Read `( items )`; before AS they are column names only."""
    start = cursor.at
    inside = cursor.group()
    if cursor.ahead("as") or (cursor.ahead("using") and "as" in (t.value for t in cursor.tokens[cursor.at :])):
        place = cursor.place(start)
        columns = tuple(Column(name=p[0].value, type="", place=place) for p in split(inside) if p)
        return replace(table, columns=columns, from_query=True)
    parts = read_items(cursor.source, inside)
    for source_name, included, place in parts.copies:
        source = catalog.find(source_name)
        if source:
            table = copied(table, source, included, place)
            continue
        table = replace(table, complete=False)
        if "constraints" not in included:  # columns come along, what guards them does not
            table = replace(table, unseen=(*table.unseen, ("like", source_name[1], place)))
    return with_parts(table, parts)


def _partition(catalog: Catalog, cursor: Cursor, table: Table) -> Table:
    parent = catalog.named(cursor.qualified())
    table = replace(table, parents=(parent,), partition=True)
    if cursor.peek() == "(":
        table = with_parts(table, read_items(cursor.source, cursor.group(), typed=False))
    if cursor.accept("default"):
        return table
    cursor.expect("for", "values")
    while cursor.peek() in ("from", "to", "in", "with", "("):
        cursor.skip()
    return table


def _tail(catalog: Catalog, cursor: Cursor, table: Table) -> Table:
    """Read what stands behind the brackets of CREATE TABLE."""
    while not cursor.done:
        if cursor.accept("inherits"):
            parents = [catalog.named(Cursor(cursor.source, p).qualified()) for p in split(cursor.group())]
            table = replace(table, parents=tuple(parents))
        elif cursor.accept("partition", "by"):
            cursor.name()
            cursor.group()
            table = replace(table, partitioned=True)
        elif cursor.accept("using") or cursor.accept("tablespace") or cursor.accept("server"):
            cursor.name()
        elif cursor.accept("with") or cursor.accept("options"):
            cursor.group()
        elif cursor.accept("without", "oids"):
            pass
        elif cursor.accept("on", "commit"):
            cursor.name()
            cursor.accept("rows")
        elif cursor.accept("as"):
            cursor.rest()
            table = replace(table, from_query=True)
        else:
            cursor.fail("something behind the columns that PostgreSQL does not know")
    return table
