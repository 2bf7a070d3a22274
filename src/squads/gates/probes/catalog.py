"""What a scratch database holds after an artifact's SQL, read from PostgreSQL's own catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from squads.gates.check import CannotLook
from squads.kernel.scratch_ports import ScratchSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table, domains looked through."""

    name: str
    type: str
    """As PostgreSQL writes it, with its modifier: `numeric(12,2)`."""
    base: str
    """The type beneath all domains, as PostgreSQL writes it."""
    category: str
    """PostgreSQL's category of that type: N number, S string, B boolean, D date, E enum, A array, U other..."""
    not_null: bool
    default: str
    """The expression of its default, else empty."""
    made: bool
    """The database makes its value: identity always, or generated."""
    labels: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """The conditions of its domains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One foreign key."""

    columns: tuple[str, ...]
    parent: int
    parent_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """One unique index that is no primary key."""

    name: str
    columns: tuple[str, ...]
    """Its plain columns; expressions are only counted in `members`."""
    members: int
    predicate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table that is no partition of another."""

    oid: int
    schema: str
    name: str
    secured: bool
    """Row level security is on."""
    columns: tuple[Column, ...]
    checks: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Name of a CHECK to its columns and its definition."""
    references: tuple[Reference, ...] = ()
    uniques: tuple[Unique, ...] = ()

    def column(self, name: str) -> Column | None:
        """Return a column by name."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def called(self) -> str:
        """How people call it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """How SQL calls it, whatever the search path."""
        return f"{named(self.schema)}.{named(self.name)}"


def named(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | None) -> str:
    """Return a value as SQL writes it, of whatever type it will be taken for."""
    if value is None:
        return "NULL"
    quoted = "'" + value.replace("'", "''") + "'"
    return f"E{quoted.replace(chr(92), chr(92) * 2)}" if "\\" in value else quoted


OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'squads_probe') AND n.nspname !~ '^pg_'"
_TABLES = f"""
SELECT c.oid, n.nspname::text, c.relname::text, c.relrowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {OURS} ORDER BY 2, 3
"""  # noqa: S608
_COLUMNS = """
SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid, a.attnotnull,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attidentity = 'a' OR a.attgenerated <> '', a.atttypmod
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""
_TYPES = """
SELECT t.oid, t.typtype::text, t.typcategory::text, t.typbasetype, t.typtypmod, t.typnotnull,
       format_type(t.typbasetype, t.typtypmod),
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
       ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.contypid = t.oid)
FROM pg_type t
WHERE t.oid IN (SELECT atttypid FROM pg_attribute WHERE attrelid = ANY($1)) OR t.typtype IN ('d', 'e')
   OR t.oid IN (SELECT typbasetype FROM pg_type WHERE typtype = 'd')
"""
_CONSTRAINTS = """
SELECT k.conrelid, k.conname::text, k.contype::text, pg_get_constraintdef(k.oid), k.confrelid,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)
FROM pg_constraint k WHERE k.conrelid = ANY($1) AND k.contype IN ('c', 'f') ORDER BY 1, 2
"""
_UNIQUES = """
SELECT i.indrelid, c.relname::text,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(n, o)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.n
        WHERE u.o <= i.indnkeyatts ORDER BY u.o),
  i.indnkeyatts::int, coalesce(pg_get_expr(i.indpred, i.indrelid), '')
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY($1) AND i.indisunique AND NOT i.indisprimary ORDER BY 1, 2
"""


async def read(admin: ScratchSession) -> dict[int, Table]:
    """Return the tables of a scratch database, by oid."""
    heads = await _rows(admin, _TABLES)
    oids = [head[0] for head in heads]
    types = {row[0]: row[1:] for row in await _rows(admin, _TYPES, oids)}
    columns: dict[int, list[Column]] = {oid: [] for oid in oids}
    for oid, name, written, type_oid, not_null, default, made, _ in await _rows(admin, _COLUMNS, oids):
        base, needed = written, not_null
        checks: list[str] = []
        kind = types.get(type_oid)
        while kind is not None and kind[0] == "d":
            base, needed, checks = kind[5], needed or kind[4], [*checks, *kind[7]]
            kind = types.get(kind[2])
        columns[oid].append(
            Column(
                name=name,
                type=_plain(written),
                base=_plain(base),
                category=kind[1] if kind else "U",
                not_null=needed,
                default=default,
                made=made,
                labels=tuple(kind[6]) if kind else (),
                checks=tuple(checks),
            )
        )
    checked: dict[int, dict[str, tuple[tuple[str, ...], str]]] = {oid: {} for oid in oids}
    references: dict[int, list[Reference]] = {oid: [] for oid in oids}
    for oid, name, kind, text, parent, own, theirs in await _rows(admin, _CONSTRAINTS, oids):
        if kind == "c":
            checked[oid][name] = (tuple(own), text)
        else:
            references[oid].append(Reference(columns=tuple(own), parent=parent, parent_columns=tuple(theirs)))
    uniques: dict[int, list[Unique]] = {oid: [] for oid in oids}
    for oid, name, own, members, predicate in await _rows(admin, _UNIQUES, oids):
        uniques[oid].append(Unique(name=name, columns=tuple(own), members=members, predicate=predicate))
    return {
        oid: Table(
            oid=oid,
            schema=schema,
            name=name,
            secured=secured,
            columns=tuple(columns[oid]),
            checks=checked[oid],
            references=tuple(references[oid]),
            uniques=tuple(uniques[oid]),
        )
        for oid, schema, name, secured in heads
    }


def _plain(type_name: str) -> str:
    """Return a type as the artifact's own sessions write it: the admin's search path does not find `public`."""
    return type_name.removeprefix("public.")


async def _rows(admin: ScratchSession, sql: str, *values: object) -> tuple[tuple[Any, ...], ...]:
    told = await admin.ask(sql, *values)
    if not told.ok:
        raise CannotLook(f"the scratch database's catalogue cannot be read: {told.message}")
    return told.records
