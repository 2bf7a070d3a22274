"""`sql.balance-not-negative`: the database refuses a negative balance, whatever the application does.

Why it matters: two debits that read the same balance at once, or one wrong sign in a transfer, write a number below
zero. Without a CHECK the row is stored, nothing fails, and the money or the stock is gone before anybody looks. The
constraint is one line; comments and application code are promises, and each writer has to keep them.

Refused:

    CREATE TABLE guild_treasuries (guild_id uuid PRIMARY KEY, balance numeric(12,2) NOT NULL DEFAULT 0);

Approved:

    CREATE TABLE guild_treasuries (
        guild_id uuid PRIMARY KEY, balance numeric(12,2) NOT NULL DEFAULT 0 CHECK (balance >= 0));

What is weighed, and how heavily:

- A numeric column whose name, or whose table's name, says that it holds a store (balance, funds, credits, escrow, stock
  on hand; the words stand in `squads.gates.sql.stores`) and that may become negative: major, refused. A CHECK counts
  if it can be proved FALSE for every negative value; `CHECK (balance >= 0 OR overdraft_allowed)` cannot. Where negative
  balances are wanted, a signed waiver says so.
- The same in a history (`ledger_entries.balance_after`, `opening_balance`): a note. It records what was.
- A column that a routine or a function in Python takes from after asking whether enough is there (`IF gold < n THEN
  RAISE`): major, whatever it is called, unless a CHECK keeps it from falling below zero, the statement asks again
  itself (`WHERE gold >= n`), a lock that shuts others out comes before the question on every way to the taking, or
  what is left is looked at afterwards and refused. The same for what is used beside a limit in its row (`booked`,
  `capacity`).
- Where the brief says that something never falls below zero, is never overdrawn, or that no more is taken than there
  is: every column that is taken from, generated as a difference, used beside a limit, or named by the brief, major,
  unless something of the above keeps it. Where the brief lets it be negative, only the agreed floor is asked for.
- A balance that is a sum of entries, also through a view or a function, which a trigger, a routine or a function in
  Python checks before an entry is added: major, unless a lock that shuts others out is taken before the sum, or
  transactions are serializable throughout. Where entries may be changed, the trigger must see that as well.
- A named store without a CHECK that nobody is given the right to write, and that only SECURITY DEFINER routines take
  from which cannot take too much, is kept.
- A row trigger counts like a CHECK where it fires on INSERT and UPDATE, is not switched off, and raises an exception
  for every negative value, or stores none; so do two that share the writes, and one for each statement that looks at
  the rows written. One that warns, looks at OLD or fires on half of the writes does not.
- A finding stands at the column, or at the table that inherits it, and at the later statement that took the CHECK
  away, if one did. A table that refuses every row (an empty parent with CHECK (false)) needs no other CHECK.
- SQLite and MySQL keep CHECKs too (MySQL from 8.0.16), so their schemas are read; MySQL's UNSIGNED is a floor.
- Validators in Python (`ge=0`, `MinValueValidator(0)`, `@validates`) are promises of the application: they do not
  count. Django's PositiveIntegerField does, because Django makes a CHECK of it.
- Alembic and Django migrations, and SQL in Python's strings, count like SQL files. SQLAlchemy and Django models count
  where nothing else in the artifact creates their table.
- Temporary tables, foreign tables and tables made by CREATE TABLE AS: not looked at. They are not where balances live.

Where it comes from: the fifth catch in "The Team is the Architecture": a treasury specified without
CHECK (balance >= 0).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, check
from squads.gates.place import Place
from squads.gates.sql import SCHEMA_FILES, Column, Schema, Table, holds_schema, quoted, read_schema
from squads.gates.sql.before import looked_at
from squads.gates.sql.changes import mentioned
from squads.gates.sql.floor import checks_on, guarded, unclamped
from squads.gates.sql.limits.chosen import meant, named
from squads.gates.sql.limits.closed import closed
from squads.gates.sql.limits.debits import debited, uncovered
from squads.gates.sql.limits.pairs import Guards, Pair, agreed_floor, overbooked, overdrawn, overdrawn_in_python
from squads.gates.sql.limits.python import summed_in_python, taken_in_python
from squads.gates.sql.limits.sums import Race, left_open, races, ways_round
from squads.gates.sql.limits.takings import takings
from squads.gates.sql.limits.told import Told, told
from squads.gates.sql.model import HOLE
from squads.gates.sql.stores import Role, role_of, scale_of
from squads.gates.sql.triggers import kept
from squads.gates.sql.truth import F, Rows, outcomes
from squads.gates.sql.values import Value

INVARIANT = Invariant(
    id="sql.balance-not-negative",
    statement="The database refuses a row whose balance, credit or stock is below zero.",
    why=(
        "Two debits at once, or one wrong sign, store a negative number; nothing fails, and the loss is found when the "
        "money or the goods are gone."
    ),
    severity=Severity.MAJOR,
    cwe=1284,
    refused="CREATE TABLE guild_treasuries (guild_id uuid PRIMARY KEY, balance numeric(12,2) NOT NULL DEFAULT 0);",
    approved=(
        "CREATE TABLE guild_treasuries (\n"
        "    guild_id uuid PRIMARY KEY, balance numeric(12,2) NOT NULL DEFAULT 0 CHECK (balance >= 0));"
    ),
    origin='"The Team is the Architecture", catch 5.',
)
_NOT_CHECKS = frozenset(("fkey", "fk", "pkey", "pk", "key", "idx", "index", "uq", "uniq", "unique", "excl", "null"))
_DEEP = Fraction(-(10**30))
"""So far below zero that any bound that is a number refuses it."""
_TEXT_MAX = 4_000
_NAME_MAX = 63


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_schema, of_work=True)
def balance_not_negative(work: ReviewWork) -> list[Finding]:
    """Return the stores of the final schema that may fall below zero."""
    return looked_at(work, lambda artifact: _found(artifact, told(work.brief)))


def _found(artifact: Artifact, brief: Told) -> list[Finding]:
    schema = read_schema(artifact)
    findings: list[Finding] = []
    unknown: list[str] = []
    every = takings(schema)
    taken_out, steps = uncovered(schema, every), frozenset(t.column for t in every)
    in_python = taken_in_python(artifact, schema)
    bare = [t for t in in_python if t.down and not t.covered]
    debits = {(t.table, t.column): t.place for t in reversed(bare) if t.column in t.asked}
    debits |= debited(taken_out)
    guards = partial(_keeps, schema, steps)
    pairs = [
        *overdrawn(schema, every, guards, told=bool(brief.never)),
        *overdrawn_in_python(schema, in_python, guards),
    ]
    if brief.never:
        out = [((t.table, t.column), t.place) for t in taken_out] + [((t.table, t.column), t.place) for t in bare]
        added_up = summed_in_python(artifact, schema)
        findings += [_overdrawn(Race(s.table, s.place), s.place) for s in added_up if not s.covered]
        findings += [_way_round(race) for race in ways_round(schema)]
        if brief.over and not (every or in_python or added_up or named(schema)):
            pairs += overbooked(schema, guards)
        seen = bool(pairs or added_up) or any(t.down for t in every) or any(t.down for t in in_python)
        used = {(t.table, t.column) for t in every} | {(t.table, t.column) for t in in_python}
        debits = meant(schema, brief, out, guards, used, seen=seen) | debits
    findings += [_beyond(pair, place) for pair in pairs for place in pair.places]
    for race in races(schema, counts=bool(brief.never)):
        findings += [_overdrawn(race, place) for place in (race.place, *race.also)]
    findings += [_opened(race) for race in left_open(schema)]
    for declared in schema.tables:
        if declared.temporary or declared.foreign:
            continue
        table = kept(schema, schema.resolved(declared))
        unknown += _unseen(schema, declared)
        for column in table.columns:
            role = None if declared.from_query and not column.type else role_of(table, column)
            taken = debits.get((declared.full_name, column.name))
            if taken is not None and scale_of(schema, column)[0]:
                role = Role.STORE
            if role is None:
                continue
            number, _ = scale_of(schema, column)
            if number is None:
                unknown.append(
                    f"{column.place}: the type {column.type!r} of {table}.{column.name} is not in this artifact; "
                    "add the file that creates it"
                )
            elif (
                number
                and not guarded(schema, *_bare(table, column, steps))
                and not _agreed(brief, schema, table, column, guards)
                and not closed(schema, declared, column, every, taken_out)
                and not _told_by_parent(schema, declared, column)
                and not _in_partitions(schema, declared, column)
            ):
                hidden = next((c.place for c in checks_on(schema, table, column) if HOLE in c.condition), None)
                if hidden:
                    unknown.append(f"{hidden}: this CHECK is only known when the code runs; write it out as plain SQL")
                else:
                    places = [*_places(schema, declared, table, column), *([taken] if taken else [])]
                    findings += [_finding(schema, table, column, role, place) for place in places]
    if unknown and not any(f.severity >= Severity.MAJOR for f in findings):
        raise CannotLook(unknown[0])
    return [f for number, f in enumerate(findings) if f not in findings[:number]]


def _agreed(brief: Told, schema: Schema, table: Table, column: Column, guards: Guards) -> bool:
    """Return whether a store may be below zero as far as the brief goes, and is kept from falling further."""
    if brief.never or not brief.may:
        return False
    return not brief.floor or agreed_floor(schema, table, column, guards) or _bounded(schema, table, column)


def _bounded(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether a CHECK gives a column a lower bound that is written as a number."""
    return any(
        outcomes(c.condition, Rows(columns={column.name: Value(high=_DEEP, nullable=False)}), c.place) == {F}
        for c in checks_on(schema, table, column)
    )


def _keeps(schema: Schema, steps: frozenset[str], table: Table, column: Column) -> bool:
    """Return whether a CHECK or a trigger keeps a column of a resolved table from falling below zero."""
    table = kept(schema, table)
    return guarded(schema, *_bare(table, column, steps))


def _bare(table: Table, column: Column, steps: frozenset[str]) -> tuple[Table, Column]:
    """Return a column without the `greatest(..., 0)` that hides what routines make of the columns beneath."""
    return unclamped(table, column) if mentioned(column.generated, steps) else (table, column)


def _places(schema: Schema, declared: Table, table: Table, column: Column) -> list[Place]:
    """Return where it is missing: at the column, or the table that inherits it, and where a statement took it away."""
    own = declared.column(column.name) is not None
    places = [column.place if own else declared.place]
    places += [] if own else [column.place]
    weakened = schema.weakened(table, frozenset((column.name,)))
    return [*places, *([weakened] if weakened and weakened not in places else [])]


def _in_partitions(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether each partition of a table guards the column: the table itself holds no rows."""
    parts = [t for t in schema.tables if t.partition and table.full_name in t.parents]
    return (
        table.partitioned
        and bool(parts)
        and all(
            guarded(schema, kept(schema, schema.resolved(p)), column) or _in_partitions(schema, p, column)
            for p in parts
        )
    )


def _told_by_parent(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether the column is inherited and its parent is refused for it already."""
    return table.column(column.name) is None and any(
        not guarded(schema, schema.resolved(parent), column)
        for parent in schema.ancestors(table)
        if parent.column(column.name) is not None
    )


def _unseen(schema: Schema, table: Table) -> list[str]:
    """Return what was done here to stores, or to their guards, of a table that the artifact does not create."""
    reasons = []
    for what, name, place in table.unseen:
        if what == "like":
            reasons.append(
                f"{place}: the columns of {name!r} are copied here without their CHECKs, and {name!r} is not in this "
                "artifact; add the file that creates it, or write INCLUDING CONSTRAINTS"
            )
        elif what in ("drop constraint", "rename") and any(
            role_of(table, column) and not guarded(schema, replace(table, columns=(*table.columns, column)), column)
            for column in _meant(table, name, place)
        ):
            reasons.append(
                f"{place}: what {name!r} of {table} is or was is not in this artifact; add the file that creates it"
            )
    return reasons


def _meant(table: Table, name: str, place: Place) -> list[Column]:
    """Return the columns that `name` may be or guard: a constraint is often called `wallets_balance_check`."""
    words = name.removeprefix(f"{table.name}_").split("_")
    if not _NOT_CHECKS.isdisjoint(words):
        return []
    spans = [(start, end) for start in range(len(words)) for end in range(start + 1, len(words) + 1)]
    return [Column(name="_".join(words[start:end]), type="numeric", place=place) for start, end in spans]


def _finding(schema: Schema, table: Table, column: Column, role: Role, place: Place) -> Finding:
    called = f"{table}.{column.name}"
    existing = checks_on(schema, table, column)
    if role is Role.RECORD:
        message = f"{called} records a balance and has no CHECK that it was never below zero."
    elif existing:
        conditions = "; ".join(check.condition for check in existing)
        message = f"{called} may still be stored below zero: CHECK ({conditions}) lets negative values through."
    else:
        message = f"{called} may be stored below zero: no CHECK forbids it."
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.NOTE if role is Role.RECORD else Severity.MAJOR,
        message=message[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=place.text[:_TEXT_MAX],
        satisfy=_mend(table, column)[:_TEXT_MAX],
    )


def _beyond(pair: Pair, place: Place) -> Finding:
    used, limit = quoted(pair.used.name), quoted(pair.limit.name)
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR,
        message=(
            f"{pair.table}.{pair.used.name} may be stored above {pair.limit.name}, so that less than nothing is left: "
            "no CHECK forbids it."
        )[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=place.text[:_TEXT_MAX],
        satisfy=f"ALTER TABLE {pair.table} ADD CHECK ({used} <= {limit});"[:_TEXT_MAX],
    )


def _overdrawn(race: Race, place: Place) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR,
        message=(
            f"The sum over {race.table} is checked without a lock that keeps others out: two bookings at once both see "
            "enough, and together take more than is there."
        )[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=place.text[:_TEXT_MAX],
        satisfy="SELECT ... FOR UPDATE on the row that owns the entries, or pg_advisory_xact_lock, before the sum",
    )


def _way_round(race: Race) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR,
        message=(
            f"The sum over {race.table} is looked at where a row is added, not where one is changed, and rows may be "
            "changed: an entry made larger afterwards takes more than is there."
        )[:_TEXT_MAX],
        location=Location(
            path=race.place.path, line=race.place.line, column=race.place.column, end_line=race.place.end_line
        ),
        evidence=race.place.text[:_TEXT_MAX],
        satisfy=f"BEFORE INSERT OR UPDATE ON {race.table}",
    )


def _opened(race: Race) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR,
        message=(
            f"The balance is the sum over {race.table}, and this trigger keeps its rows from being changed or from "
            "being deleted, but not from both: what was paid in can be taken away after it was spent."
        )[:_TEXT_MAX],
        location=Location(
            path=race.place.path, line=race.place.line, column=race.place.column, end_line=race.place.end_line
        ),
        evidence=race.place.text[:_TEXT_MAX],
        satisfy=f"BEFORE UPDATE OR DELETE ON {race.table}",
    )


def _mend(table: Table, column: Column) -> str:
    """Return the constraint that is missing; SQLite can only write it into CREATE TABLE."""
    condition = f"CHECK ({quoted(column.name)} >= 0)"
    if table.dialect == "sqlite":
        return f"{quoted(column.name)} {column.type.upper()} {condition}  -- in CREATE TABLE {table}"
    return f"ALTER TABLE {table} ADD CONSTRAINT {_free_name(table, column)} {condition};"


def _free_name(table: Table, column: Column) -> str:
    """Return a name for the new constraint that the table does not have yet."""
    taken = {c.name for c in table.checks} | {k.name for k in table.keys} | table.others
    stem = f"{table.name}_{column.name}"[: _NAME_MAX - len("_not_negative_9")]
    names = (f"{stem}_not_negative{'' if n == 1 else f'_{n}'}" for n in range(1, 10))
    return quoted(next((n for n in names if n not in taken), f"{stem}_not_negative"))
