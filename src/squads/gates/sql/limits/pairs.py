"""What is used up beside its limit in one row: `booked` and `capacity`, `spent` and `awarded`.

No column holds what is left, so it is asked for as if one did: a column generated as limit less use, which must not be
below zero. What proves it for written columns (CHECKs, triggers) proves it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from squads.gates.place import Place
from squads.gates.sql.changes import mentioned
from squads.gates.sql.fits.routines import Body, bodies
from squads.gates.sql.limits.covered import covered
from squads.gates.sql.limits.python import Taken
from squads.gates.sql.limits.takings import Taking, fired_with, read_into, refuses
from squads.gates.sql.model import Column, Schema, Table, quoted
from squads.gates.sql.stores import scale_of, words_of
from squads.gates.words import word_set

Guards = Callable[[Table, Column], bool]
"""Whether the database keeps a column of a resolved table from falling below zero."""

_LIMITS = word_set(
    "capacity limit max maximum budget quota allowance granted total raised bought purchased funded allotted allocated "
    "stock seats beds places copies supply face initial original deposited received earned approved ceiling hand "
    "awarded cap entitled entitlement size contracted licensed provisioned committed pool"
)
_USES = word_set(
    "used booked taken sold spent reserved allocated redeemed consumed drawn issued assigned occupied withdrawn paid"
)
_OVERDRAFT = word_set("overdraft credit limit line floor minimum min")
_TALLIES = word_set("version revision counter attempts retries views visits hits failures")


@dataclass(frozen=True, slots=True)
class Pair:
    """A column that is used up, the limit beside it, and where it is added to."""

    table: Table
    used: Column
    limit: Column
    places: tuple[Place, ...]


def overdrawn(schema: Schema, every: Sequence[Taking], guards: Guards, *, told: bool) -> Iterator[Pair]:
    """Yield what may be used beyond its limit.

    The limit is what a routine compares the use with before it refuses; where a brief has `told` of a limit, also what
    stands beside the use in its row.
    """
    routines = {b.name: b for b in bodies(schema)}
    for taking in every:
        table = next((schema.resolved(t) for t in schema.tables if t.full_name == taking.table), None)
        used = table.column(taking.column) if table is not None else None
        if table is None or used is None or taking.down or not _TALLIES.isdisjoint(words_of(used.name)):
            continue
        if taking.amount and all(a.startswith("old__") for a in taking.amount):
            continue
        beside = fired_with(schema, taking.body)
        others = [c for c in table.columns if _alike(schema, table, used, c) and c.name not in taking.beside]
        limits = [c for c in others if any(_asks(b, used.name, c.name) for b in (taking.body, *beside))]
        if not limits and told:
            limits = [c for c in others if not _LIMITS.isdisjoint(words_of(c.name))]
            limits = limits or (others if len(others) == 1 else [])
        for limit in limits[:1]:
            if not _kept(schema, table, used, limit, guards) and not any(
                covered(replace(taking, column=name), routines, beside) for name in (used.name, limit.name)
            ):
                yield Pair(table, used, limit, (used.place, limit.place, taking.place))


def overbooked(schema: Schema, guards: Guards) -> Iterator[Pair]:
    """Yield what names say is used up beside a limit of the same row, where nothing adds to it in the artifact."""
    for declared in schema.tables:
        table = schema.resolved(declared)
        numbers = [c for c in table.columns if not c.generated and scale_of(schema, c)[0]]
        uses = [c for c in numbers if not _USES.isdisjoint(words_of(c.name))]
        for used in uses if len(uses) == 1 and not declared.temporary else ():
            limits = [c for c in numbers if _alike(schema, table, used, c) and not _LIMITS.isdisjoint(words_of(c.name))]
            if len(limits) == 1 and not _kept(schema, table, used, limits[0], guards):
                yield Pair(table, used, limits[0], (used.place, limits[0].place))


def overdrawn_in_python(schema: Schema, every: Sequence[Taken], guards: Guards) -> Iterator[Pair]:
    """Yield what functions in Python may use beyond the limit that they compare it with before they give up."""
    for taken in every:
        table = next((schema.resolved(t) for t in schema.tables if t.full_name == taken.table), None)
        used = table.column(taken.column) if table is not None else None
        if table is None or used is None or taken.down or taken.covered or used.name not in taken.asked:
            continue
        for limit in (c for c in table.columns if c.name in taken.asked and _alike(schema, table, used, c)):
            if not _kept(schema, table, used, limit, guards):
                yield Pair(table, used, limit, (used.place, taken.place))


def _kept(schema: Schema, table: Table, used: Column, limit: Column, guards: Guards) -> bool:
    """Return whether the database keeps `limit - used` from falling below zero."""
    names = [c.name for c in table.columns]
    made = [c for c in table.columns if len(mentioned(c.generated, (used.name, limit.name))) == 2]
    if any(guards(table, c) for c in made):
        return True
    said = [set(mentioned(c.condition, names)) for c in table.checks]
    if any(len(s) > 2 and {used.name, limit.name} <= s for s in said):
        return True  # more than two take part: who reads it knows better
    left = replace(
        limit,
        name="squads__left",
        generated=f"{quoted(limit.name)} - {quoted(used.name)}",
        default="",
        place=used.place,
    )
    return guards(replace(table, columns=(*table.columns, left)), left)


def _asks(body: Body, used: str, limit: str) -> bool:
    """Return whether a body refuses where a use is compared with its limit."""
    names = [{n} | read_into(body, n) for n in (used, limit)]
    for part in body.parts:
        words = [t.value if t.kind == "word" else "" for t in part]
        if "if" not in words:
            continue
        start = words.index("if")
        then = words.index("then") if "then" in words else len(words)
        condition = part[start + 1 : then]
        said = {t.value for t in condition if t.kind in ("word", "quoted")}
        compares = any(t.text in ("<", ">", "<=", ">=") for t in condition)
        if compares and all(said & n for n in names) and refuses(words[then:]):
            return True
    return False


def _alike(schema: Schema, table: Table, used: Column, other: Column) -> bool:
    """Return whether two columns may count the same thing: numbers of one type, and no key."""
    keys = {c for r in table.references for c in r.columns} | {
        e.column for k in table.keys if k.primary for e in k.elements
    }
    return (
        other.name != used.name
        and other.name not in keys
        and not other.generated
        and bool(scale_of(schema, other)[0])
        and schema.base_type(other.type) == schema.base_type(used.type)
        and _TALLIES.isdisjoint(words_of(other.name))
    )


def agreed_floor(schema: Schema, table: Table, column: Column, guards: Guards) -> bool:
    """Return whether a column is kept from falling below the overdraft that stands beside it in its row."""
    for other in table.columns:
        if other is column or _OVERDRAFT.isdisjoint(words_of(other.name)) or not scale_of(schema, other)[0]:
            continue
        for sign in ("- (-", "+ ("):
            made = f"{quoted(column.name)} {sign}{quoted(other.name)})"
            left = replace(column, name="squads__left", generated=made, default="")
            if guards(replace(table, columns=(*table.columns, left)), left):
                return True
    return False
