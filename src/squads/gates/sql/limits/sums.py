"""Balances that are sums of entries: whether what is booked at the same time is kept from overdrawing them together.

Two transactions that add up the same entries both see enough, and both book. Only a lock that shuts the other one out
before the sum is taken helps: FOR UPDATE on the account, an advisory lock, LOCK TABLE in a mode that conflicts with
itself, or serializable transactions throughout. FOR SHARE and FOR KEY SHARE let both in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from squads.gates.place import Place
from squads.gates.sql.fits.routines import Body, bodies
from squads.gates.sql.lex import Token
from squads.gates.sql.limits.covered import locks
from squads.gates.sql.model import Schema
from squads.gates.sql.stores import scale_of
from squads.gates.words import word_set

_EVENTS = frozenset(("insert", "update", "delete"))
_SUM = frozenset(("sum",))
_COUNT = frozenset(("count",))
_ONLY_SAYS = word_set("notice warning info log debug")


@dataclass(frozen=True, slots=True)
class Race:
    """A sum that is checked although another transaction may change it meanwhile."""

    table: str
    place: Place
    """Where the sum is taken."""
    also: tuple[Place, ...] = ()
    """Where the trigger is made that checks it."""


def races(schema: Schema, *, counts: bool = False) -> Iterator[Race]:
    """Yield the sums of entries that are checked without a lock, and then added to; numbers of entries too."""
    if _serializable(schema):
        return
    tables, adds = {t.name for t in schema.tables}, _SUM | (_COUNT if counts else frozenset())
    fires, sources = _fires(schema), _sources(schema)
    routines = {b.name: b for b in bodies(schema)}
    for body in bodies(schema):
        on = [f for f in fires.get(body.name, []) if f.written & {"insert", "update"}]
        summed = _summed(body, tables, sources, adds)
        if summed is None or not _refuses(body):
            continue
        at, table = summed
        booked = _booked(body, tables) | {f.table for f in on}
        if table in booked and not _locked(body, at, routines):
            part = body.parts[at]
            place = body.source.place(part[0].start, part[-1].end)
            yield Race(table, place, tuple(f.place for f in on if f.table == table))


def sums(schema: Schema) -> Iterator[str]:
    """Yield the tables whose sums are checked somewhere, with a lock or without."""
    tables = {t.name for t in schema.tables}
    sources, adds = _sources(schema), _SUM | _COUNT
    for body in bodies(schema):
        if (summed := _summed(body, tables, sources, adds)) is not None and _refuses(body):
            yield summed[1]


def left_open(schema: Schema) -> Iterator[Race]:
    """Yield the triggers that keep a ledger's entries from being changed, or deleted, but not from both."""
    found = {b.name: b for b in bodies(schema)}
    tables = {t.name for t in schema.tables}
    fires, sources = _fires(schema), _sources(schema)
    summed = {s[1] for b in found.values() if _refuses(b) and (s := _summed(b, tables, sources, _SUM)) is not None}
    events: dict[str, set[str]] = {t: set() for t in summed}
    keepers: list[_Fired] = []
    for name, body in found.items() if summed else ():
        guards, refuses = _summed(body, tables, sources, _SUM) is not None, _always_refuses(body)
        for fired in fires.get(name, []):
            if fired.table in summed and (guards or refuses):
                events[fired.table] |= fired.written
            if fired.table in summed and refuses and not guards:
                keepers.append(fired)
    change = {"update", "delete"}
    for fired in sorted(keepers, key=lambda f: f.table):
        if fired.written & change and not change <= events[fired.table] and not _revoked(schema, fired.table):
            yield Race(fired.table, fired.place)


def ways_round(schema: Schema) -> Iterator[Race]:
    """Yield the triggers that look at a sum where a row is added, though those who may also change rows are not kept
    from it.
    """
    found = {b.name: b for b in bodies(schema)}
    tables = {t.name for t in schema.tables}
    sources = _sources(schema)
    guarded: dict[str, set[str]] = {}
    places: dict[str, Place] = {}
    for name, triggers in _fires(schema).items():
        body = found.get(name)
        summed = _summed(body, tables, sources, _SUM | _COUNT) if body is not None else None
        for fired in triggers if body is not None else ():
            looks = body is not None and _refuses(body) and summed is not None and summed[1] == fired.table
            if looks or (body is not None and _always_refuses(body)):
                guarded.setdefault(fired.table, set()).update(fired.events)
            if looks and fired.written & {"insert", "update"}:
                places[fired.table] = fired.place
    for table, place in places.items():
        if "update" not in guarded[table] and _may_update(schema, table):
            yield Race(table, place)


def _may_update(schema: Schema, table: str) -> bool:
    """Return whether somebody is given the right to change rows of a table."""
    for spoken in schema.spoken:
        words = [t.value for t in spoken.statement.tokens]
        if words[0] == "grant" and "on" in words and table in words[words.index("on") :]:
            given = words[: words.index("on")]
            if "all" in given or ("update" in given and words[given.index("update") + 1] != "("):
                return True
    return False


def _amounts(schema: Schema, name: str) -> set[str]:
    """Return the numbers of a table, by its name: no keys, no references."""
    found: set[str] = set()
    for table in (t for t in schema.tables if t.name == name):
        keys = {c for r in table.references for c in r.columns}
        keys |= {e.column for k in table.keys for e in k.elements if k.primary}
        found |= {c.name for c in table.columns if c.name not in keys and scale_of(schema, c)[0]}
    return found


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


def _sources(schema: Schema) -> dict[str, str]:
    """Return what gives sums of a table's rows: the tables themselves, views that add them up, functions that do."""
    tables = {t.name for t in schema.tables}
    found: dict[str, str] = {}
    for spoken in schema.spoken:
        tokens = spoken.statement.tokens
        words = _words(tokens)
        if words[:1] != ["create"] or "view" not in words[:5] or "materialized" in words[:5] or "as" not in words:
            continue
        at = words.index("view") + 1
        at += 3 if words[at : at + 3] == ["if", "not", "exists"] else 0
        at += 2 if [t.text for t in tokens[at + 1 : at + 2]] == ["."] else 0
        if (table := _sum_in(tokens[words.index("as") :], tables, _SUM)) is not None:
            found[tokens[at].value] = table
    for body in bodies(schema):
        if body.returns not in ("trigger", "") and not _refuses(body):
            table = next((t for p in body.parts if (t := _sum_in(p, tables, _SUM)) is not None), None)
            if table is not None:
                found.setdefault(body.name, table)
    return found


def _summed(body: Body, tables: set[str], sources: Mapping[str, str], adds: frozenset[str]) -> tuple[int, str] | None:
    """Return which statement of a body takes the sum of a table's column, and the table."""
    for number, part in enumerate(body.parts):
        table = _sum_in(part, tables, adds)
        if table is None:
            values = [t.value for t in part if t.kind in ("word", "quoted")]
            table = next((sources[v] for v in values if v in sources and v != body.name), None)
        if table is not None:
            return number, table
    return None


def _sum_in(part: Sequence[Token], tables: set[str], adds: frozenset[str]) -> str | None:
    """Return the table whose column is summed up in a statement."""
    words = _words(part)
    for at, word in enumerate(words):
        if word in adds and at + 1 < len(part) and part[at + 1].text == "(":
            after = [t.value for t in part[at:] if t.kind in ("word", "quoted")]
            behind = after[after.index("from") + 1 :] if "from" in after else []
            ends = next((n for n, w in enumerate(behind) if w in ("where", "group")), len(behind))
            last = [w for w in behind[:ends] if w in tables]
            if last:
                own = [w for w in behind[:3] if w in tables]
                return (own or last)[0] if "join" not in behind[:ends] else last[-1]
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


def _locked(body: Body, at: int, routines: Mapping[str, Body]) -> bool:
    """Return whether a lock that shuts others out is taken before the sum."""
    for part in body.parts[:at]:
        if locks(part, {n: b for n, b in routines.items() if n != body.name}):
            return True
        words = _words(part)
        if words[:1] == ["update"] or "update" in words[:3]:
            return True  # a row that is written is locked until the end
    return False


@dataclass(frozen=True, slots=True)
class _Fired:
    """One trigger: the table that it is on, where it is made, and the writes of amounts that it sees."""

    table: str
    place: Place
    events: frozenset[str]
    written: frozenset[str]
    """The events as they are written; UPDATE OF a column that is no amount among them."""


def _fires(schema: Schema) -> dict[str, list[_Fired]]:
    """Return the triggers of each routine."""
    found: dict[str, list[_Fired]] = {}
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
        head = words[: on - 1]
        written = frozenset(head) & _EVENTS
        if "of" in head and not set(head[head.index("of") :]) & _amounts(schema, table):
            head = head[: head.index("of") - 1]
        fired = _Fired(table, spoken.statement.place, frozenset(head) & _EVENTS, written)
        found.setdefault(routine, []).append(fired)
    return found


def _serializable(schema: Schema) -> bool:
    """Return whether the artifact makes serializable transactions the rule."""
    return any(
        "default_transaction_isolation" in words and "serializable" in " ".join(words)
        for words in ([t.value for t in s.statement.tokens] for s in schema.spoken)
    )
