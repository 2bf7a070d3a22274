"""The nouns of a PostgreSQL schema as checks see it: frozen, small, and each with the place it was written.

A table holds what is true once every statement has run. Expressions stay text here (normalised, without comments);
`truth.py` reads them, and only those that a question needs. Nothing in this file judges anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from squads.gates.place import Place
from squads.gates.words import word_set

if TYPE_CHECKING:
    from squads.gates.sql.lex import Statement
    from squads.gates.sql.writes import Write


HOLE = "ʘ"
"""Stands in SQL that Python makes for a piece that only running the code would tell. It reads as a letter of a name."""

TableName = tuple[str, str]
"""Schema and name, both folded as PostgreSQL folds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. Whether it may be NULL is the table's knowledge: see `Schema.nullable`."""

    name: str
    type: str
    """Lower case, without spaces around brackets: `numeric(12,2)`, `app.money_amount`; empty when not known."""
    generated: str = ""
    """The expression of a GENERATED ALWAYS AS (...) column, else empty."""
    default: str = ""
    """The expression of its DEFAULT, else empty."""
    default_place: Place | None = None
    """Where the default was set."""
    identity_max: str = ""
    """The MAXVALUE of an identity column's sequence, as written, else empty."""
    type_place: Place | None = None
    """Where a later statement gave it the type that it has now; None where it was created with it."""
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key."""

    name: str = ""
    columns: tuple[str, ...]
    table: TableName
    """As it was written; the schema may be empty."""
    targets: tuple[str, ...] = ()
    """The columns referred to; empty for the other table's primary key."""
    place: Place


@dataclass(frozen=True, slots=True)
class Element:
    """One member of a key: a column, or an expression."""

    column: str = ""
    expression: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A primary key, a UNIQUE constraint or a unique index."""

    name: str = ""
    elements: tuple[Element, ...]
    predicate: str = ""
    """The condition of a partial index, else empty."""
    nulls_distinct: bool = True
    primary: bool = False
    index: bool = False
    """Made by CREATE UNIQUE INDEX, so DROP INDEX takes it away."""
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A CHECK constraint that the database enforces on every new row, NOT VALID ones included."""

    name: str = ""
    condition: str
    inherited: bool = True
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is known of one table."""

    schema: str
    name: str
    columns: tuple[Column, ...] = ()
    not_null: frozenset[str] = frozenset()
    keys: tuple[Key, ...] = ()
    checks: tuple[Check, ...] = ()
    references: tuple[Reference, ...] = ()
    """The foreign keys; their names stand in `others` too."""
    others: frozenset[str] = frozenset()
    """Names of constraints that no check reads: foreign keys, exclusions, checks that are not enforced."""
    parents: tuple[TableName, ...] = ()
    partition: bool = False
    """Its parents' unique keys hold here too, as they do not for plain INHERITS."""
    partitioned: bool = False
    """It holds no rows of its own: each is in one of its partitions."""
    named_not_null: tuple[tuple[str, str], ...] = ()
    """NOT NULL constraints that were given a name: (name, column)."""
    complete: bool = True
    """False when CREATE TABLE is not in the artifact, or copies a table that is not."""
    from_query: bool = False
    """Made by CREATE TABLE AS: it has columns nobody declared, all of them nullable."""
    temporary: bool = False
    foreign: bool = False
    dialect: str = "postgresql"
    """Whose SQL it was written in; what mends it is spelled otherwise elsewhere."""
    unseen: tuple[tuple[str, str, Place], ...] = ()
    """What was done to parts that are not in the artifact: (what, name, place)."""
    lost: tuple[tuple[frozenset[str], Place], ...] = ()
    """Where a later statement took a CHECK, a unique key or NOT NULL away: the columns it held for, and the place."""
    place: Place

    def lost_on(self, columns: frozenset[str]) -> Place | None:
        """Return the last place where something that held for one of `columns` was taken away."""
        return next((place for names, place in reversed(self.lost) if names & columns), None)

    @property
    def full_name(self) -> TableName:
        """Its key in a schema."""
        return (self.schema, self.name)

    def column(self, name: str) -> Column | None:
        """Return the column declared here under `name`."""
        return next((c for c in self.columns if c.name == name), None)

    def __str__(self) -> str:
        named = quoted(self.name)
        return named if self.schema == "public" else f"{quoted(self.schema)}.{named}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """CREATE DOMAIN: a type with conditions of its own; in them the value is called VALUE."""

    name: str
    type: str
    not_null: bool = False
    checks: tuple[Check, ...] = ()
    default: str = ""
    lost: Place | None = None
    """Where a later statement took a condition of it away."""
    place: Place


@dataclass(frozen=True, slots=True)
class Spoken:
    """A statement that may change rights, routines or triggers, and the schema that new names went to then."""

    statement: Statement
    search_schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Every table of an artifact, after all statements."""

    tables: tuple[Table, ...] = ()
    domains: Mapping[str, Domain] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    """Types made by CREATE TYPE: enums, composites, ranges. None of them is a number."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The labels of each enum."""
    spoken: tuple[Spoken, ...] = ()
    """The statements that may change rights, routines or triggers, in order; for `authority.py` to read."""
    writes: tuple[Write, ...] = ()
    """The statements that store or change rows, and those that change tables under them, in order."""

    def ancestors(self, table: Table) -> Iterator[Table]:
        """Yield the tables it inherits from, nearest first, each once."""
        if not table.parents:
            return
        by_name = {t.full_name: t for t in self.tables}
        waiting, seen = list(table.parents), {table.full_name}
        while waiting:
            name = waiting.pop(0)
            if name in by_name and name not in seen:
                seen.add(name)
                yield by_name[name]
                waiting += by_name[name].parents

    def whole(self, table: Table) -> bool:
        """Return whether every column of `table` can be known from the artifact."""
        found = {t.full_name for t in self.ancestors(table)}
        return table.complete and set(table.parents) <= found and all(a.complete for a in self.ancestors(table))

    def resolved(self, table: Table) -> Table:
        """Return `table` with what it inherits, and NOT NULL where a domain says so."""
        columns, not_null, keys, checks = list(table.columns), set(table.not_null), [*table.keys], [*table.checks]
        partition, lost = table.partition, table.lost
        for parent in self.ancestors(table):
            own = {c.name for c in columns}
            columns += [c for c in parent.columns if c.name not in own]
            not_null |= parent.not_null
            lost += parent.lost
            checks += [c for c in parent.checks if c.inherited]
            keys += parent.keys if partition else []
            partition = partition and parent.partition
        for column in columns:
            if any(d.not_null for d in self.domains_of(column.type)):
                not_null.add(column.name)
        return replace(
            table,
            columns=tuple(columns),
            not_null=frozenset(not_null),
            keys=tuple(keys),
            checks=tuple(checks),
            lost=lost,
            complete=self.whole(table),
        )

    def domains_of(self, type_name: str) -> Iterator[Domain]:
        """Yield the domain called `type_name`, and the domains beneath it."""
        for _ in range(16):
            domain = self.domains.get(type_name.rsplit(".", 1)[-1])
            if domain is None:
                return
            yield domain
            type_name = domain.type

    def weakened(self, table: Table, names: frozenset[str]) -> Place | None:
        """Return where a later statement took away what held for columns `names` of a resolved table."""
        columns = [c for c in table.columns if c.name in names]
        places = [d.lost for c in columns for d in self.domains_of(c.type) if d.lost]
        places += [c.type_place for c in columns if c.type_place]
        return table.lost_on(names) or next(iter(places), None)

    def base_type(self, type_name: str) -> str:
        """Return the type beneath all domains."""
        for domain in self.domains_of(type_name):
            type_name = domain.type
        return type_name


_PLAIN_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz_")
_PLAIN = _PLAIN_FIRST | frozenset("0123456789$")
_RESERVED = word_set(
    "all analyse analyze and any array as asc asymmetric authorization between binary both case cast check collate "
    "column concurrently constraint create cross current_date current_role current_time current_timestamp "
    "current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full "
    "grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit "
    "localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary "
    "references returning right select session_user similar some symmetric table tablesample then to trailing true "
    "union unique user using variadic verbose when where window with"
)


class Same:
    """A schema as a key: it is itself and no other, so that what was read from it once is read once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.schema is other.schema


def quoted(name: str) -> str:
    """Return `name` as it must be written in SQL: bare where that folds to itself, else in double quotes."""
    plain = "${" in name or (
        bool(name) and name[0] in _PLAIN_FIRST and _PLAIN.issuperset(name) and name not in _RESERVED
    )
    return name if plain else '"' + name.replace('"', '""') + '"'
