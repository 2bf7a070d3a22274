"""`sql.unique-null`: a unique key over several columns holds also where one of them is NULL.

Why it matters: PostgreSQL takes every NULL for distinct, so UNIQUE (holder_id, score_kind, guild_scope) accepts any
number of equal rows once guild_scope is NULL. Tests that always fill the column pass; the duplicates come in
production, in exactly those rows that were meant to be global, and sums and look-ups over them are wrong ever after.

Refused:

    CREATE TABLE reputation_scores (
        holder_id uuid NOT NULL, score_kind text NOT NULL, guild_scope uuid,
        UNIQUE (holder_id, score_kind, guild_scope));

Approved:

    CREATE TABLE reputation_scores (holder_id uuid NOT NULL, score_kind text NOT NULL, guild_scope uuid);
    CREATE UNIQUE INDEX ON reputation_scores (holder_id, score_kind) WHERE guild_scope IS NULL;
    CREATE UNIQUE INDEX ON reputation_scores (holder_id, score_kind, guild_scope) WHERE guild_scope IS NOT NULL;

What is weighed, and how heavily:

- Several members, one of them nullable, and nothing else holds its rows apart: major, refused. The key promises that
  the combination is unique, and NULL in one member lifts the promise for all others.
- One nullable column alone (`email text UNIQUE`): a note. "Unique when present" is a common intention, and the
  NULL rows have nothing else in common that could repeat.
- A partial index that leaves the NULL rows out (`WHERE guild_scope IS NOT NULL`) with no key for them: a note. They may
  repeat, but the statement says so where everybody reads it. This is also how to say "unique when present" for several
  columns. Where the brief speaks of all members and of being there once, and not of "if given": major.
- A migration is judged with what stood before it; only what the change wrote is refused.
- SQLite and MySQL take NULL for distinct too, and their schemas are read; SQL Server and Oracle do not, and are not.
- Alembic and Django migrations, and SQL in Python's strings, count like SQL files. SQLAlchemy and Django models count
  where nothing else in the artifact creates their table.
- Temporary tables, and members made to be NULL (NULLIF, CASE without ELSE, also as a generated column): a note, unless
  the brief speaks of the column that they are made of, and of being there once, or a CHECK keeps out what NULLIF would
  turn into NULL: then the column is NULL by itself.

A finding stands at the key, and at the later statement that let NULL in or took the other key away, if one did.

Where it comes from: the third catch in "The Team is the Architecture", on PostgreSQL's documentation of unique
constraints: "two null values are not considered equal". NULLS NOT DISTINCT exists since PostgreSQL 15.
"""

from __future__ import annotations

import re

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, check
from squads.gates.place import Place
from squads.gates.sql import SCHEMA_FILES, Element, Key, Schema, Table, holds_schema, quoted, read_schema
from squads.gates.sql.before import looked_at
from squads.gates.sql.changes import mentioned
from squads.gates.sql.model import HOLE
from squads.gates.sql.triggers import kept
from squads.gates.sql.uniqueness import Gap, columns_in, deliberate, gaps, resolved
from squads.gates.words import word_set

INVARIANT = Invariant(
    id="sql.unique-null",
    statement="A unique key over several columns also holds for rows in which one of them is NULL.",
    why=(
        "PostgreSQL takes NULL for distinct from NULL, so rows that are equal in every other column repeat without "
        "limit; whoever reads one row, or sums them, gets a wrong answer from then on."
    ),
    severity=Severity.MAJOR,
    cwe=694,
    refused=(
        "CREATE TABLE reputation_scores (\n"
        "    holder_id uuid NOT NULL, score_kind text NOT NULL, guild_scope uuid,\n"
        "    UNIQUE (holder_id, score_kind, guild_scope));"
    ),
    approved=(
        "CREATE TABLE reputation_scores (holder_id uuid NOT NULL, score_kind text NOT NULL, guild_scope uuid);\n"
        "CREATE UNIQUE INDEX ON reputation_scores (holder_id, score_kind) WHERE guild_scope IS NULL;\n"
        "CREATE UNIQUE INDEX ON reputation_scores (holder_id, score_kind, guild_scope) WHERE guild_scope IS NOT NULL;"
    ),
    origin='"The Team is the Architecture", catch 3; PostgreSQL documentation, Unique Constraints.',
)
_TEXT_MAX = 4_000
_NAME_MAX = 63


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_schema, of_work=True)
def unique_null(work: ReviewWork) -> list[Finding]:
    """Return the unique keys of the final schema that rows with a NULL slip through."""
    return looked_at(work, lambda artifact: _found(artifact, work.brief))


def _found(artifact: Artifact, brief: str = "") -> list[Finding]:
    schema = read_schema(artifact)
    findings: list[Finding] = []
    unknown: list[str] = []
    for declared in schema.tables:
        if declared.foreign:
            continue  # a foreign table has no unique keys of its own
        table = kept(schema, resolved(schema, declared))
        for key in declared.keys:
            found = gaps(table, key)
            if (hidden := _computed(table, key)) and found:
                unknown.append(f"{hidden}: this condition is only known when the code runs; write it out as plain SQL")
                continue
            findings += _findings(schema, table, key, [gap for gap in found if gap.certain], brief)
            unknown += [
                f"{key.place}: whether {_listed(gap.members)} of {table} may be NULL is not in this artifact; "
                "add the file that creates the table"
                for gap in found
                if not gap.certain and not gap.excluded and len(columns_in(key)) > 1
            ]
        unknown += [
            f"{place}: {name} of {table} may be NULL from here on, and the unique keys of the table are not in this "
            "artifact; add the file that creates it"
            for what, name, place in declared.unseen
            if what == "drop not null"
        ]
    if unknown and not any(f.severity >= Severity.MAJOR for f in findings):
        raise CannotLook(unknown[0])
    return [f for number, f in enumerate(findings) if f not in findings[:number]]


def _computed(table: Table, key: Key) -> Place | None:
    """Return where a condition that could decide about `key` holds a piece that only running the code would tell."""
    for other in table.keys:
        told = [other.predicate, *(e.expression for e in other.elements)]
        if any(HOLE in text for text in told) and (other is key or columns_in(other) & columns_in(key)):
            return other.place
    return next(
        (c.place for c in table.checks if HOLE in c.condition and mentioned(c.condition, columns_in(key))), None
    )


def _findings(schema: Schema, table: Table, key: Key, found: list[Gap], brief: str) -> list[Finding]:
    """Return one finding for all gaps of a key: a refusal where one of them weighs that much, else a note.

    Where a later statement opened the gap, a refusal stands there as well.
    """
    alone = len(columns_in(key)) == 1
    light = [
        g
        for g in found
        if alone
        or (g.excluded and not _told_for_all(table, key, g, brief))
        or table.temporary
        or (all(deliberate(table, m) for m in g.members) and not _told_without(table, g, brief))
    ]
    heavy = [g for g in found if g not in light]
    told = heavy or [g for g in light if not (alone and g.excluded)]
    if not told:
        return []
    nulls = " or ".join(_listed(g.members) for g in told)
    kind = f"{'The unique index' if key.index else 'UNIQUE'} on {table} ({_listed(key.elements)})"
    if heavy:
        message = f"{kind} accepts equal rows without limit where {nulls} is NULL: NULL is distinct from NULL."
    elif alone:
        message = f"{kind} accepts any number of rows where {nulls} is NULL: unique when present."
    elif all(g.excluded for g in told):
        message = f"{kind} leaves out rows where {nulls} is NULL; they may repeat."
    else:
        message = f"{kind} does not hold for rows where {nulls} is NULL; they may repeat."
    opened = schema.weakened(table, frozenset().union(*(_columns(table, g) for g in heavy))) if heavy else None
    return [
        Finding(
            invariant=INVARIANT.id,
            severity=Severity.MAJOR if heavy else Severity.NOTE,
            message=message[:_TEXT_MAX],
            location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
            evidence=place.text[:_TEXT_MAX],
            satisfy=_mend(table, key, told)[:_TEXT_MAX],
        )
        for place in (key.place, *([opened] if opened and opened != key.place else []))
    ]


_ONCE = re.compile(
    r"\b(once|unique(ly|ness)?|twice|duplicates?|doubles?|only one|at most one|exactly one|one row|same)\b",
    re.IGNORECASE,
)
_THOSE_TOO = re.compile(
    r"\b(also|too|as well|even|including|likewise|whether or not|with or without|in either case|no matter)\b",
    re.IGNORECASE,
)
_WHERE_GIVEN = re.compile(
    r"\b(if|when|where|wherever|whenever|as soon as)\s+(\w+\s+){0,3}"
    r"(given|present|set|known|there|filled|assigned|any|has|have|exists?|available)\b"
    r"|\boptional\b.{0,60}\bunique\b|\bif any\b",
    re.IGNORECASE,
)
_NAMES_ITSELF = word_set(
    "ref reference external ext number no nr code email mail phone serial isbn token key sku slug handle iban vin "
    "barcode hash uid uuid"
)


def _told_for_all(table: Table, key: Key, gap: Gap, brief: str) -> bool:
    """Return whether the brief wants a key that leaves rows out to hold for them too.

    It speaks of being there once, of the column that may be NULL (or of others "too") and of the rest, and not of "if
    given". A column that is a name by itself (`external_ref`) is left out on purpose.
    """
    if not brief or not _ONCE.search(brief) or _WHERE_GIVEN.search(brief):
        return False
    said = {w.rstrip("s") for w in re.findall(r"[a-z]+", brief.lower())}
    missing = [e.column for e in gap.members if e.column]
    names = [*missing, *sorted(columns_in(key) - set(missing))]
    referring = {c for r in table.references for c in r.columns}
    rest = [n for n in names if n not in missing and n not in referring]
    those_too = any(_ONCE.search(s) and _THOSE_TOO.search(s) for s in re.split(r"(?<=[.!?])\s+", brief))
    spoken = all(set(_stems(n)) & said for n in (rest if those_too else names))
    return bool(rest and missing and spoken) and all(_NAMES_ITSELF.isdisjoint(n.split("_")) for n in missing)


def _told_without(table: Table, gap: Gap, brief: str) -> bool:
    """Return whether the brief wants rows to be there once, and speaks of what a key's members are made of.

    `nullif(row_label, '')` is no intention where "boxes have no row, and a seat is sold once".
    """
    if not brief or not _ONCE.search(brief) or _WHERE_GIVEN.search(brief):
        return False
    said = {w.rstrip("s") for w in re.findall(r"[a-z]+", brief.lower())}
    made_of = _columns(table, gap) - table.not_null
    return bool(made_of) and all(
        set(_stems(n)) & said and _NAMES_ITSELF.isdisjoint(n.lower().split("_")) for n in made_of
    )


def _stems(name: str) -> list[str]:
    return [w.rstrip("s") for w in name.lower().split("_") if w not in ("id", "no")]


def _columns(table: Table, gap: Gap) -> frozenset[str]:
    """Return the columns that may be NULL in a gap."""
    names = [c.name for c in table.columns]
    return frozenset(n for m in gap.members for n in (m.column, *mentioned(m.expression, names)) if n)


def _mend(table: Table, key: Key, told: list[Gap]) -> str:
    """Return SQL that closes the gaps, and as comments what else would."""
    nulls = [m for m in key.elements if any(m in g.members for g in told)]
    if table.dialect == "mysql":
        return _for_mysql(table, key, nulls)
    if table.dialect == "sqlite":
        filled = ", ".join(map(_written, nulls))
        return (
            f"{_index_for_nulls(table, key, told[0])}\n-- or, if it always has a value: {filled} NOT NULL in the table"
        )
    lines = _with_nulls_equal(table, key)
    if len(nulls) == 1 and len(key.elements) > 1:
        lines = [_index_for_nulls(table, key, told[0]), *(f"-- or, from PostgreSQL 15: {line}" for line in lines)]
    if all(m.column for m in nulls):
        filled = " ".join(f"ALTER TABLE {table} ALTER COLUMN {_written(m)} SET NOT NULL;" for m in nulls)
        lines.append(f"-- or, if it always has a value: {filled}")
    if not any(g.excluded for g in told):
        present = " AND ".join(f"{_written(m)} IS NOT NULL" for m in nulls)
        lines.append(f"-- or, if such rows may repeat, say so: a unique index WHERE {present} instead")
    return "\n".join(lines)


def _for_mysql(table: Table, key: Key, nulls: list[Element]) -> str:
    """Return what closes the gaps where there are no partial indexes and no NULLS NOT DISTINCT."""
    members = ", ".join(f"(COALESCE({_written(m)}, ''))" if m in nulls else _written(m) for m in key.elements)
    name = quoted(("_".join([table.name, *(e.column or "expr" for e in key.elements)]))[: _NAME_MAX - 5] + "_null")
    return (
        f"CREATE UNIQUE INDEX {name} ON {table} ({members}); -- a value of the column's type that never occurs\n"
        f"-- or, if it always has a value: {', '.join(map(_written, nulls))} NOT NULL"
    )


def _index_for_nulls(table: Table, key: Key, gap: Gap) -> str:
    """Return the partial index that holds apart the rows that the key leaves free."""
    rest = [e for e in key.elements if e not in gap.members]
    conditions = [f"{_written(m)} IS NULL" for m in gap.members]
    if key.predicate and not gap.excluded:
        conditions.append(f"({key.predicate})")
    words = [table.name, *(e.column or "expr" for e in rest), "where", *(m.column or "expr" for m in gap.members)]
    name = "_".join(words)[: _NAME_MAX - len("_null")] + "_null"
    members = ", ".join(map(_written, rest))
    return f"CREATE UNIQUE INDEX {quoted(name)} ON {table} ({members}) WHERE {' AND '.join(conditions)};"


def _with_nulls_equal(table: Table, key: Key) -> list[str]:
    """Return the key written again with NULLS NOT DISTINCT."""
    members, name = ", ".join(map(_written, key.elements)), quoted(key.name)
    schema = "" if table.schema == "public" else f"{quoted(table.schema)}."
    drop = f"DROP INDEX {schema}{name};" if key.index else f"ALTER TABLE {table} DROP CONSTRAINT {name};"
    if all(e.column for e in key.elements) and not key.predicate and not key.index:
        return [drop, f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE NULLS NOT DISTINCT ({members});"]
    where = f" WHERE {key.predicate}" if key.predicate else ""
    return [drop, f"CREATE UNIQUE INDEX {name} ON {table} ({members}) NULLS NOT DISTINCT{where};"]


def _written(element: Element) -> str:
    return quoted(element.column) if element.column else f"({element.expression})"


def _listed(elements: tuple[Element, ...]) -> str:
    return ", ".join(e.column or e.expression for e in elements)
