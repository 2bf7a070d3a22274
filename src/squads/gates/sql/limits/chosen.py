"""Which columns a brief means that says "never below zero", whatever they are called.

First what routines take from, then differences that the schema generates. Where nothing of that is there: the columns
whose names the brief's own words come nearest to. Words are the last resort, and never against what a trigger or
routine refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.changes import mentioned
from squads.gates.sql.expressions import parsed
from squads.gates.sql.fits.routines import bodies
from squads.gates.sql.floor import checks_on
from squads.gates.sql.limits.pairs import Guards
from squads.gates.sql.limits.sums import sums
from squads.gates.sql.limits.takings import asked_at, fired, refuses
from squads.gates.sql.limits.told import Told, stem
from squads.gates.sql.model import Column, Schema, Table, TableName
from squads.gates.sql.stores import Role, role_of, scale_of, words_of
from squads.gates.sql.truth import F, Rows, outcomes
from squads.gates.sql.values import ZERO, Value
from squads.gates.words import word_set

Meant = tuple[TableName, str]
"""A column of a table."""

_NEAR = 3
"""How near a name must come to what the brief says."""
_PREFIX_MIN = 4
_NEITHER = word_set(
    "id no number num version year month week day code max maximum min minimum limit capacity threshold target price "
    "fee rate percent pct ratio factor weight position sort order rank age level_no net delta change diff overdraft "
    "allowed profit margin variance score rating temperature lat lng latitude longitude duration interval size width "
    "height length reorder safety vat tax cost count_of per initial granted opening total_in lifetime"
)
_HOLDS = word_set(
    "balance credit stock hand on left remaining available fund cash budget quota allowance point mile token coin gem "
    "minute hour litre liter kg ton unit quantity qty amount level content fill volume supply inventory saldo guthaben "
    "bestand vorrat rest menge punkte seat ticket place copy slot bed spot energy kwh mb gb data deposit purse pot "
    "money value holding position share reserve pool"
)
_MOVEMENT = word_set(
    "transaction transactions entry entries movement movements event events log history booking bookings withdrawal "
    "withdrawals deposit deposits transfer transfers posting postings payment payments redemption redemptions charge "
    "charges item items line lines order orders sale sales usage usages request requests payout payouts delivery "
    "deliveries reservation reservations issue issues dispense consumption pick picks draw draws refund refunds topup "
    "topups purchase purchases"
)
_ADDED = word_set("sum entry ledger movement add posting total booking transaction journal summe buchung")
"""What a brief calls a balance that no column holds."""
_DEBT = word_set("debt owed owing due open outstanding arrears unpaid karma score delta net elo rating offset")


def differences(schema: Schema) -> Iterator[tuple[TableName, Column]]:
    """Yield the columns that are generated as one column less another."""
    for table in schema.tables:
        for column in table.columns:
            if column.generated and _DEBT.isdisjoint(words_of(column.name)) and _difference(table, column):
                yield table.full_name, column


def _difference(table: Table, column: Column) -> tuple[str, ...]:
    try:
        tree = parsed(column.generated)
    except ValueError:
        return ()
    subtracts = next(iter(tree.find_all(_sub())), None)
    return mentioned(column.generated, (c.name for c in table.columns)) if subtracts is not None else ()


def _sub() -> type:
    from sqlglot import exp

    return exp.Sub


def by_words(schema: Schema, told: Told, guards: Guards, used: Collection[Meant]) -> list[tuple[Table, Column]]:
    """Return the columns whose names come nearest to what the brief says, where none of the nearest is guarded.

    What stands beside a column that is added to (`used`) may be its limit, and is not meant.
    """
    limited = {t for t, _ in used}
    counted = [(t, c) for t, c in _counts(schema) if not _never_empty(t, c)]
    holders = {t.full_name for t, _ in counted}
    still = [(t, c) for t, c in counted if not _moves(schema, t, holders)]
    ranked = [(score, t, c) for t, c in still if (score := _nearness(told, t, c)) >= _NEAR]
    best = max((s for s, _, _ in ranked), default=0)
    nearest = [(t, c) for s, t, c in ranked if s == best]
    if not nearest:
        about = [(t, c) for t, c in still if _near(words_of(t.name), told.words())]
        nearest = about if len(about) == 1 else []
    if any(t.full_name in limited and (t.full_name, c.name) not in used for t, c in nearest):
        return []
    if len(nearest) > 2 or any(guards(t, c) or _related(t, c) or _looked_after(schema, t, c) for t, c in nearest):
        return []
    return nearest


def _counts(schema: Schema) -> Iterator[tuple[Table, Column]]:
    """Yield the columns that may say how much of something there is: numbers that are no key, price or date."""
    for declared in schema.tables:
        if declared.temporary or declared.foreign or declared.from_query:
            continue
        table = schema.resolved(declared)
        keys = {c for r in table.references for c in r.columns} | {
            e.column for k in table.keys if k.primary for e in k.elements
        }
        for column in table.columns:
            words = {stem(w) for w in words_of(column.name)}
            counts = column.name not in keys and scale_of(schema, column)[0] and not words & (_NEITHER | _DEBT)
            if counts:
                yield table, column


def _never_empty(table: Table, column: Column) -> bool:
    """Return whether a CHECK refuses zero: that is an amount, not what is left of something."""
    nothing = Rows(columns={column.name: Value(low=ZERO, high=ZERO, nullable=False)})
    for check in (c for c in table.checks if mentioned(c.condition, (column.name,))):
        try:
            told = outcomes(check.condition, nothing, check.place)
        except CannotLook:
            continue  # what cannot be read refuses nothing for certain
        if told == {F}:
            return True
    return False


def _moves(schema: Schema, table: Table, holders: set[TableName]) -> bool:
    """Return whether a table holds movements: rows about others that hold something, or rows of some time."""
    if not table.references:
        return False
    about = {t.full_name for r in table.references for t in schema.tables if t.name == r.table[1]} - {table.full_name}
    moving = not _MOVEMENT.isdisjoint(words_of(table.name)) or any("time" in c.type for c in table.columns)
    return moving or bool(about & holders)


def _nearness(told: Told, table: Table, column: Column) -> int:
    words = {stem(w) for w in words_of(column.name)}
    same, holds = _near(words, told.words()), words & _HOLDS
    if not same and not holds:
        return 0
    about = _near(words_of(table.name), told.words())
    return 3 * len(same) + 2 * bool(holds) + bool(about) - 2 * len(words - same - _HOLDS)


def _near(words: Iterable[str], said: frozenset[str]) -> set[str]:
    """Return which words are said: as they are, or with another end (`kilos` for kilograms)."""
    stems = {stem(w) for w in words}
    long = [s for s in said if len(s) >= _PREFIX_MIN]
    begun = {w for w in stems if len(w) >= _PREFIX_MIN and any(s.startswith(w) or w.startswith(s) for s in long)}
    return begun | (stems & said)


def _related(table: Table, column: Column) -> bool:
    """Return whether a CHECK compares a column with another: somebody thought of its limits."""
    names = [c.name for c in table.columns]
    return any(len(said := mentioned(c.condition, names)) > 1 and column.name in said for c in table.checks)


def _looked_after(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether a routine that refuses may keep a column from falling, though nothing proves it.

    A trigger on the column's own table that does not fire on every write keeps nothing.
    """
    on_table: dict[str, set[str]] = {}
    for routine, on, events in fired(schema):
        if on == table.name:
            on_table.setdefault(routine, set()).update(events)
    return any(
        asked_at(body, column.name) is not None
        and {"insert", "update"} <= on_table.get(body.name, {"insert", "update"})
        for body in bodies(schema)
    )


def booked(schema: Schema, told: Told) -> tuple[Table, Column] | None:
    """Return the one table of signed movements, and its amount, where nothing in the artifact refuses any of them."""
    if any(refuses([t.value for t in b.tokens]) for b in bodies(schema)) or _ADDED.isdisjoint(told.words()):
        return None
    counted = [(t, c) for t, c in _counts(schema) if t.references and not c.generated]
    found = [(t, c) for t, c in counted if _signed(schema, t, c)]
    return found[0] if len(found) == 1 else None


def _signed(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether a column is meant to hold both signs: no CHECK of it says that it is above zero."""
    texts = [c.condition.replace('"', "") for c in checks_on(schema, table, column)]
    return not any(re.search(rf"\b(?:{column.name}|value)\b\s*(?:>|between)", t, re.IGNORECASE) for t in texts)


def named(schema: Schema) -> bool:
    """Return whether a column says by its name that it holds a store."""
    return any(
        role_of(schema.resolved(t), c) is Role.STORE and scale_of(schema, c)[0]
        for t in schema.tables
        for c in schema.resolved(t).columns
    )


def meant(
    schema: Schema,
    told: Told,
    taken: Iterable[tuple[Meant, Place]],
    guards: Guards,
    used: Collection[Meant],
    *,
    seen: bool,
) -> dict[Meant, Place]:
    """Return the columns that a brief means which says "never below zero", and where each is taken from or made.

    `taken` is what something is taken from and where, `used` what is added to. Where what is limited was `seen`
    already, nothing else is looked for.
    """
    found: dict[Meant, Place] = {}
    for meant, place in taken:
        if not (_DEBT & set(words_of(meant[1]))) - told.words():
            found.setdefault(meant, place)
    for name, column in differences(schema):
        found.setdefault((name, column.name), column.place)
    if found or seen or named(schema):
        return found
    if not found and not any(sums(schema)):
        found |= {(t.full_name, c.name): c.place for t, c in by_words(schema, told, guards, used)}
    if not found and (movement := booked(schema, told)):
        found[movement[0].full_name, movement[1].name] = movement[0].place
    return found
