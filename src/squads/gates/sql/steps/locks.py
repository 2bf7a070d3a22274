"""Which steps of a migration hold a lock on a table in use for as long as it takes to read or write all of it.

Short locks are no news: every ALTER TABLE takes one. What counts is work over all rows under a lock that stops writers
or readers, on a table that stood before the migration. What is fresh is empty and nobody waits for it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from squads.gates.place import Place
from squads.gates.sql.model import TableName, quoted
from squads.gates.sql.steps.act import NOWHERE, Act
from squads.gates.sql.steps.reading import Step
from squads.gates.sql.steps.types import read, rewrites
from squads.gates.sql.steps.use import Use
from squads.gates.sql.steps.world import Walk
from squads.gates.words import word_set

_VOLATILE = re.compile(
    r"\b(gen_random_uuid|gen_random_bytes|uuid_generate_v[14]|uuid_generate_v1mc|uuid_generate_v7|uuidv4|uuidv7"
    r"|random|random_normal|clock_timestamp|timeofday|nextval|setval|txid_current|pg_sleep|gen_ulid|ulid)\s*\(",
    re.IGNORECASE,
)
_SERIAL = word_set("serial bigserial smallserial serial2 serial4 serial8")
_HEAVY_MODES = ("", "access exclusive", "exclusive", "share row exclusive", "share")
_LONG = word_set("update delete insert_select copy create_index validate create_table moved do")
_SLICED = re.compile(
    r"\b(limit|between|ctid|fetch first)\b|\bany\b|<=?|>=?|(?<!not )\bin\b(?! \( select)|%|=", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Held:
    """One lock that is held too long."""

    place: Place
    message: str
    satisfy: str
    certain: bool = True
    """Whether it refuses; else it is a note."""


def locks(walk: Walk, uses: Mapping[str, Use]) -> Iterator[Held]:
    """Yield what holds locks for long, in the order of the steps; `uses` is what each folder says of its tables."""
    for step, acts in walk.moments():
        if step.statement.source.dialect != "postgresql":
            continue
        use = uses.get(posixpath.dirname(step.statement.source.path), Use())
        for act in acts:
            yield from _concurrently(step, act)
            if act.table == NOWHERE or walk.existed(act.table) or (act.kind == "refresh" and _stood(walk, act)):
                for held in _one(walk, step, act):
                    yield replace(held, certain=held.certain and _weighs(walk, act, use))


def _weighs(walk: Walk, act: Act, use: Use) -> bool:
    """Return whether a lock is a fault by itself, or one on what is known to be large or in use."""
    if use.idle:
        return False
    if act.kind == "set_not_null" and use.based and not _mended(walk, act):
        return True
    if (
        act.other == "foreign"
        and use.based
        and any(
            a.kind == "drop_constraint" and walk.named(a.table) == walk.named(act.table)
            for a in (*(a for _, a in walk.earlier), *walk.acts[walk.at])
        )
    ):
        return use.used  # one that stood there is made anew: its rows are known to fit
    if act.other == "exclude":
        return use.large and use.based  # nothing builds it in another way, so it needs a table that is known to be busy
    if act.kind in ("set_not_null", "update", "delete", "insert_select", "moved"):
        return use.large
    if (
        act.kind in ("alter_type", "refresh", "lock")
        or "unique" in act.words
        or act.other in ("check", "unique", "primary", "not null")
    ):
        return use.used
    return True


def _mended(walk: Walk, act: Act) -> bool:
    """Return whether the migration itself fills or mends rows of the table before: then it does what was asked for."""
    table = walk.named(act.table)
    return any(
        (a.kind in ("update", "delete") and walk.named(a.table) == table) or a.kind in ("do", "call")
        for _, a in walk.earlier
    ) or walk.new_column(act.table, act.name)


def _concurrently(step: Step, act: Act) -> Iterator[Held]:
    inside = (step.transaction and step.sure) or "block" in act.words
    if inside and "concurrently" in act.words and act.kind in ("create_index", "drop_index", "reindex"):
        yield Held(
            act.place,
            "CONCURRENTLY stands inside a transaction, where PostgreSQL refuses it; the index is never built.",
            "run it outside a transaction: no BEGIN around it, Alembic's autocommit_block(), Django's atomic = False",
        )


def _one(walk: Walk, step: Step, act: Act) -> Iterator[Held]:
    table = quoted(act.table[1])
    match act.kind:
        case "create_index" if "concurrently" not in act.words and "only" not in act.words:
            if act.text.startswith(("(", "using")) or act.text:
                unique = "UNIQUE " if "unique" in act.words else ""
                yield Held(
                    act.place,
                    f"CREATE {unique}INDEX keeps every writer of {table} waiting until the index is built.",
                    f"CREATE {unique}INDEX CONCURRENTLY {quoted(act.name) + ' ' if act.name else ''}ON {table} ...;  "
                    "-- outside a transaction",
                )
        case "add_constraint":
            yield from _constraint(walk, act, table)
        case "validate":
            yield from _validated(walk, step, act, table)
        case "set_not_null":
            yield from _not_null(walk, step, act, table)
        case "add_column":
            yield from _column(walk, act, table)
        case "alter_type":
            yield from _type(walk, act, table)
        case "rewrite":
            yield Held(act.place, f"{act.other} rewrites {table} while nobody can read it.", "do it in a new table")
        case "vacuum_full" | "cluster":
            what = "VACUUM FULL" if act.kind == "vacuum_full" else "CLUSTER"
            yield Held(
                act.place,
                f"{what} rewrites {table or 'the tables'} under ACCESS EXCLUSIVE: nobody can read until it is done.",
                "VACUUM without FULL, or pg_repack",
            )
        case "reindex" if "concurrently" not in act.words:
            yield Held(
                act.place,
                f"REINDEX keeps the writers of {table or 'its tables'} waiting until the index is built.",
                "REINDEX ... CONCURRENTLY, outside a transaction",
            )
        case "refresh" if not act.words & {"concurrently", "no data"}:
            yield Held(
                act.place,
                f"REFRESH MATERIALIZED VIEW keeps every reader of {table} waiting until its query is done.",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY, with a unique index on the view",
            )
        case "alter_domain" if any(
            act.name in c.type.split(".") for t in walk.tables() if walk.existed(t.full_name) for c in t.columns
        ):
            yield Held(
                act.place,
                f"ALTER DOMAIN {quoted(act.name)} reads every table with a column of it, and locks them for as long.",
                "ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in a transaction of its own",
            )
        case "attach" if walk.known(("", act.other)) and walk.existed(("", act.other)):
            if not any(g.valid for g in walk.checks(("", act.other))):
                yield Held(
                    act.place,
                    f"ATTACH PARTITION reads all of {quoted(act.other)} under its lock: no CHECK proves the bounds.",
                    "add a CHECK with the bounds NOT VALID, VALIDATE it, and attach then",
                )
        case "lock" if act.other in _HEAVY_MODES:
            yield from _locked(walk, step, act, table)
        case "update" | "insert_select" | "delete" | "moved":
            yield from _rows(walk, step, act, table)


def _constraint(walk: Walk, act: Act, table: str) -> Iterator[Held]:
    name = f"CONSTRAINT {quoted(act.name)} " if act.name else ""
    if act.words & {"not valid", "using index"}:
        return
    if act.other in ("unique", "primary"):
        kind = "UNIQUE" if act.other == "unique" else "PRIMARY KEY"
        yield Held(
            act.place,
            f"ADD {kind} builds its index while nobody can read or write {table}.",
            f"CREATE UNIQUE INDEX CONCURRENTLY i ON {table} ...; ALTER TABLE {table} ADD {name}{kind} USING INDEX i;",
        )
    elif act.other == "exclude":
        yield Held(act.place, f"ADD EXCLUDE builds its index under a lock on {table}.", "EXCLUDE on a new table")
    elif act.other in ("foreign", "check", "not null"):
        if act.other == "not null" and act.columns and _proved(walk, act.table, act.columns[0]):
            return
        if act.other != "foreign" and act.columns and all(walk.new_column(act.table, c) for c in act.columns):
            return  # the column is as new as its CHECK
        kind = {"foreign": "FOREIGN KEY", "check": "CHECK"}.get(act.other, "NOT NULL")
        yield Held(
            act.place,
            f"ADD {kind} reads all of {table} under a lock that keeps writers waiting, because it is not NOT VALID.",
            f"ALTER TABLE {table} ADD {name}{kind} ... NOT VALID; and, in a transaction of its own, "
            f"ALTER TABLE {table} VALIDATE CONSTRAINT ...;",
        )


def _validated(walk: Walk, step: Step, act: Act, table: str) -> Iterator[Held]:
    guard = walk.guards.get((walk.named(act.table), act.name))
    if guard and not guard.valid and step.transaction and guard.transaction == step.transaction:
        yield Held(
            act.place,
            f"VALIDATE CONSTRAINT runs in the transaction that added it, so the lock on {table} is held throughout.",
            "VALIDATE CONSTRAINT in a migration of its own, after the one that adds it NOT VALID has committed",
        )


def _not_null(walk: Walk, step: Step, act: Act, table: str) -> Iterator[Held]:
    if walk.not_null(act.table, act.name) or _proved(walk, act.table, act.name):
        return
    column = quoted(act.name)
    del step
    yield Held(
        act.place,
        f"SET NOT NULL reads all of {table} under ACCESS EXCLUSIVE: no valid CHECK proves {column} yet.",
        f"ALTER TABLE {table} ADD CONSTRAINT c CHECK ({column} IS NOT NULL) NOT VALID; then VALIDATE CONSTRAINT c in a "
        "transaction of its own; then SET NOT NULL reads nothing",
    )


def _proved(walk: Walk, table: TableName, column: str) -> bool:
    wanted = f"{column} is not null"
    for guard in walk.checks(table):
        bare = re.sub(r"[\"()]", " ", guard.condition.lower())
        parts = re.split(r"\band\b", " ".join(bare.split()))
        if guard.valid and " or " not in bare and any(p.strip() == wanted for p in parts):
            return True
    return False


def _column(walk: Walk, act: Act, table: str) -> Iterator[Held]:
    text = act.text.lower()
    column = quoted(act.name)
    default = re.search(r"\bdefault\b(.*)", text)
    if act.other in _SERIAL or "as identity" in text:
        yield Held(
            act.place,
            f"ADD COLUMN {column} gives every row of {table} a number of its own, so the table is rewritten.",
            "add the column without a default, fill it in batches, then attach the sequence",
        )
    elif re.search(r"\bgenerated always as \(", text) and "stored" in text.split():
        yield Held(
            act.place,
            f"ADD COLUMN {column} GENERATED ... STORED computes every row of {table}: the table is rewritten.",
            "a plain column with a trigger, filled in batches; or VIRTUAL",
        )
    elif default and (_VOLATILE.search(default[1]) or _own_volatile(walk, default[1])):
        yield Held(
            act.place,
            f"The default of {column} is another one for every row, so ADD COLUMN rewrites {table}.",
            f"ADD COLUMN {column} without a default, ALTER COLUMN {column} SET DEFAULT ..., and fill in batches",
        )
    elif {"unique", "primary"} & act.words:
        yield Held(
            act.place,
            f"ADD COLUMN {column} builds a unique index while nobody can read or write {table}.",
            "add the column, CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX",
        )
    elif walk.domains(act.other):
        yield Held(
            act.place,
            f"{act.other} checks its values, so ADD COLUMN {column} rewrites {table}.",
            "add the column as the plain type with a CHECK NOT VALID",
        )


def _own_volatile(walk: Walk, default: str) -> bool:
    """Return whether a default calls a function of the schema that may give another value each time.

    One in SQL is put in the place of its call, so what it calls itself decides; any other is what it is declared to be.
    """
    texts = {
        a.table[1]: a.text for acts in (walk.old, *walk.acts[: walk.at]) for a in acts if a.kind == "create_routine"
    }
    for called in re.findall(r"([a-z_]\w*)\s*\(", default):
        text = texts.get(called, "").lower()
        if not text or re.search(r"\b(immutable|stable)\b", text):
            continue
        if not re.search(r"\blanguage\s+'?sql\b", text) or _VOLATILE.search(text):
            return True
    return False


def _type(walk: Walk, act: Act, table: str) -> Iterator[Held]:
    old = walk.type_of(act.table, act.name)
    found = rewrites(old, act.other, act.text, act.name)
    if found is False or (_in_utc(walk) and {read(old).name, read(act.other).name} == {"timestamp", "timestamptz"}):
        return
    shown = f"from {old} to {act.other}" if old else f"to {act.other}"
    yield Held(
        act.place,
        f"ALTER COLUMN {quoted(act.name)} TYPE {shown} rewrites {table} while nobody can read or write it.",
        "add a column of the new type, fill it in batches, and let the programs change over",
        certain=found is True,
    )


def _in_utc(walk: Walk) -> bool:
    """Return whether the session's zone is UTC: then both kinds of timestamps are the same bytes."""
    told = [
        a for acts in walk.acts[: walk.at] for a in acts if a.kind == "set" and re.search(r"time ?zone", a.text, re.I)
    ]
    return bool(told) and re.search(r"'(utc|gmt|etc/utc|\+?0+)'|\butc\b", told[-1].text, re.IGNORECASE) is not None


def _stood(walk: Walk, act: Act) -> bool:
    """Return whether a materialized view stood before."""
    made = [a for acts in walk.acts[: walk.at] for a in acts if a.kind == "create_view" and a.table[1] == act.table[1]]
    return not made and act.table[1] in [a.table[1] for a in walk.old if a.kind == "create_view"]


def _locked(walk: Walk, step: Step, act: Act, table: str) -> Iterator[Held]:
    after = zip(walk.steps.steps[walk.at + 1 :], walk.acts[walk.at + 1 :], strict=True)
    long = False
    for later, acts in after:
        if later.transaction != step.transaction or not step.transaction:
            break
        for other in acts:
            long |= other.kind in _LONG and not (other.kind == "create_table" and not other.text)
            long |= other.kind in ("update", "delete") or (other.kind == "select" and "from" in other.text.split())
    mode = act.other.upper() or "ACCESS EXCLUSIVE"
    yield Held(
        act.place,
        f"LOCK TABLE {table} IN {mode} MODE is held until the transaction ends"
        + (", and what follows takes long." if long else "."),
        "let each statement take the lock it needs; fill and copy outside that transaction",
        certain=long,
    )


def _rows(walk: Walk, step: Step, act: Act, table: str) -> Iterator[Held]:
    """Work over all rows in a transaction that already holds a lock on the table."""
    if "commits" in act.words or not step.transaction:
        return
    sources = _read_from(act)
    names = {walk.named(act.table), *(walk.named(("", s)) for s in sources)}
    locked = walk.locking.get(step.transaction, [])
    held = next((a for a in locked if walk.named(a.table) in names and walk.existed(a.table)), None)
    if held is None or (act.kind in ("update", "delete") and not _all_rows(walk, act)):
        return
    yield Held(
        act.place,
        f"This goes through all rows of {quoted(held.table[1])} in the transaction whose "
        f"{held.kind.replace('_', ' ').upper()} (line {held.place.line}) holds the table locked until it commits.",
        "fill in batches, in a migration of its own that commits after each of them",
    )


def _read_from(act: Act) -> set[str]:
    if act.kind not in ("insert_select", "moved"):
        return set()
    return {m[1] for m in re.finditer(r"\bfrom (?:only )?\"?(\w+)\"?", act.text, re.IGNORECASE)}


def _all_rows(walk: Walk, act: Act) -> bool:
    """Return whether UPDATE or DELETE reaches all rows: no condition, or one that every old row fulfils."""
    if act.where is None:
        return True
    if "loop" in act.words:
        return True  # in slices, but in one transaction
    where = " ".join(act.where.lower().split())
    if where in ("true", "1 = 1", "( true )"):
        return True
    fresh = [c for t, c in walk.added if t == walk.named(act.table)]
    parts = [p.strip(' ()"') for p in where.split(" and ")]
    if any(re.search(rf"\b{re.escape(c)}\"? is null$", p) for c in fresh for p in parts):
        return not any(_SLICED.search(p) for p in parts if not p.endswith("is null"))
    return " from " in f" {act.text.lower()} " and not re.search(r"\b(between|limit|ctid)\b|[<>]", where)
