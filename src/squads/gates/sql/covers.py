"""Balances that are sums of entries: whether what is booked at the same time is kept from overdrawing them together.

Two transactions that add up the same entries both see enough, and both book. Only a lock that shuts the other one out
before the sum is taken helps: FOR UPDATE on the account, an advisory lock, LOCK TABLE in a mode that conflicts with
itself, or serializable transactions throughout. FOR SHARE and FOR KEY SHARE let both in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from squads.gates.place import Place
from squads.gates.sql.fits.routines import Body, bodies
from squads.gates.sql.lex import Token
from squads.gates.sql.model import Schema
from squads.gates.words import word_set

_LOCKS = word_set("pg_advisory_lock pg_advisory_xact_lock")
_SHARED_MODES = (("row", "exclusive"), ("row", "share"), ("access", "share"), ("share", "mode"))
_ONLY_SAYS = word_set("notice warning info log debug")


@dataclass(frozen=True, slots=True)
class Race:
    """A sum that is checked although another transaction may change it meanwhile."""

    table: str
    place: Place
    """Where the sum is taken."""
    also: tuple[Place, ...] = ()
    """Where the trigger is made that checks it."""


def races(schema: Schema) -> Iterator[Race]:
    """Yield the sums of entries that are checked without a lock, and then added to."""
    if _serializable(schema):
        return
    tables = {t.name for t in schema.tables}
    fires = dict(_fires(schema))
    for body in bodies(schema):
        on = fires.get(body.name, [])
        summed = _summed(body, tables)
        if summed is None or not _refuses(body):
            continue
        at, table = summed
        booked = _booked(body, tables) | {t for t, _ in on}
        if table in booked and not _locked(body, at, table):
            part = body.parts[at]
            place = body.source.place(part[0].start, part[-1].end)
            yield Race(table, place, tuple(p for t, p in on if t == table))


def left_open(schema: Schema) -> Iterator[Race]:
    """Yield the triggers that keep a ledger's entries from being changed, or deleted, but not from both."""
    found = {b.name: b for b in bodies(schema)}
    tables = {t.name for t in schema.tables}
    fires = dict(_fires(schema, frozenset(("insert", "update", "delete"))))
    summed = {s[1] for b in found.values() if _refuses(b) and (s := _summed(b, tables)) is not None}
    for table in sorted(summed):
        events: set[str] = set()
        keepers: list[tuple[Place, set[str]]] = []
        for name, body in found.items():
            for on, place, on_events in ((t, p, _events(schema, p)) for t, p in fires.get(name, [])):
                if on != table:
                    continue
                guards = _summed(body, tables) is not None
                if guards or _always_refuses(body):
                    events |= on_events
                if not guards and _always_refuses(body):
                    keepers.append((place, on_events))
        for place, covered in keepers:
            if covered & {"update", "delete"} and not {"update", "delete"} <= events and not _revoked(schema, table):
                yield Race(table, place)


def _events(schema: Schema, place: Place) -> set[str]:
    for spoken in schema.spoken:
        if spoken.statement.place == place:
            words = [t.value for t in spoken.statement.tokens]
            return set(words[: words.index("on")]) & {"insert", "update", "delete"}
    return set()


def _always_refuses(body: Body) -> bool:
    """Return whether a body does nothing but raise an exception."""
    words = _words(body.tokens)
    return "if" not in words and any(a == "raise" and b not in _ONLY_SAYS for a, b in pairwise([*words, ""]))


def _revoked(schema: Schema, table: str) -> bool:
    """Return whether rights on a table are written down, so that who may change rows is said elsewhere."""
    for spoken in schema.spoken:
        words = [t.value for t in spoken.statement.tokens]
        if words[0] in ("revoke", "grant") and table in words:
            return True
    return False


def _words(tokens: Sequence[Token]) -> list[str]:
    return [t.value if t.kind == "word" else "" for t in tokens]


def _summed(body: Body, tables: set[str]) -> tuple[int, str] | None:
    """Return which statement of a body takes the sum of a table's column, and the table."""
    for number, part in enumerate(body.parts):
        words = _words(part)
        for at, word in enumerate(words):
            if word == "sum" and at + 1 < len(part) and part[at + 1].text == "(":
                after = [t.value for t in part[at:] if t.kind in ("word", "quoted")]
                behind = after[after.index("from") + 1 :] if "from" in after else []
                table = next((w for w in behind[:3] if w in tables), "")
                if table:
                    return number, table
    return None


def _refuses(body: Body) -> bool:
    """Return whether a body raises an exception when something is below something else."""
    words = _words(body.tokens)
    raises = any(w == "raise" and words[n + 1 : n + 2] not in ([m] for m in _ONLY_SAYS) for n, w in enumerate(words))
    compares = any(t.text in ("<", ">", "<=", ">=") for t in body.tokens)
    return raises and compares


def _booked(body: Body, tables: set[str]) -> set[str]:
    """Return the tables that a body adds rows to."""
    found: set[str] = set()
    for part in body.parts:
        names = [t.value for t in part if t.kind in ("word", "quoted")]
        for at, name in enumerate(names[:-1]):
            if (name, names[at + 1]) == ("insert", "into"):
                found |= set(names[at + 2 : at + 4]) & tables
    return found


def _locked(body: Body, at: int, table: str) -> bool:
    """Return whether a lock that shuts others out is taken before the sum."""
    for part in body.parts[:at]:
        words = _words(part)
        if not _LOCKS.isdisjoint(words):
            return True
        if "lock" in words[:3] and ("table" in words or table in [t.value for t in part]):
            pairs = set(pairwise(words))
            if pairs.isdisjoint(_SHARED_MODES) or ("share", "row") in pairs:
                return True
        for n, word in enumerate(words):
            if word == "for" and (
                words[n + 1 : n + 2] == ["update"] or words[n + 1 : n + 4] == ["no", "key", "update"]
            ):
                return True
        if words[:1] == ["update"] or "update" in words[:3]:
            return True  # a row that is written is locked until the end
    return False


def _fires(
    schema: Schema, events: frozenset[str] = frozenset(("insert", "update"))
) -> Iterator[tuple[str, list[tuple[str, Place]]]]:
    """Yield the trigger functions with the tables they fire on, and where each trigger is made."""
    found: dict[str, list[tuple[str, Place]]] = {}
    for spoken in schema.spoken:
        tokens = spoken.statement.tokens
        words = [t.value for t in tokens]
        if words[0] != "create" or "trigger" not in words[1:5] or "execute" not in words or "on" not in words:
            continue
        on, calls = words.index("on") + 1, words.index("execute") + 2
        table = "".join(words[on + 2 : on + 3] if words[on + 1 : on + 2] == ["."] else words[on : on + 1])
        routine = "".join(
            words[calls + 2 : calls + 3] if words[calls + 1 : calls + 2] == ["."] else words[calls : calls + 1]
        )
        if events & set(words[: words.index("on")]):
            found.setdefault(routine, []).append((table, spoken.statement.place))
    yield from found.items()


def _serializable(schema: Schema) -> bool:
    """Return whether the artifact makes serializable transactions the rule."""
    return any(
        "default_transaction_isolation" in words and "serializable" in " ".join(words)
        for words in ([t.value for t in s.statement.tokens] for s in schema.spoken)
    )
