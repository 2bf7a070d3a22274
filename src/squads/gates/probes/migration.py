"""`probe.locks` and `probe.destroys`: a migration runs over the tables that stood before, with rows in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput, ScratchUnavailable
from squads.contracts.finding import Severity
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.probes import catalog
from squads.gates.probes.apply import applied
from squads.gates.probes.catalog import Table, named
from squads.gates.probes.outcome import Outcome
from squads.gates.probes.rows import Rows
from squads.gates.probes.scene import apply, finding, forward, named_roles
from squads.gates.probes.watch import MODES, Seen, Watch
from squads.gates.sql import SQL_FILES
from squads.gates.sql.lex import Statement
from squads.kernel.scratch_ports import OWNER, READER, Scratch, ScratchSession

_ROWS = 2
_STOPS_WRITES = MODES.index("ShareLock")
_TAKING = frozenset({"drop", "delete", "truncate", "rename"})
_CHANGING = _TAKING | {"alter", "update"}
_REFUSED = re.compile(r"22\w{3}|23\w{3}")


_Contents = Mapping[str, Mapping[str, tuple[catalog.Column, list[str]]]]
"""Table to column to what it is, and its values that are not NULL as text."""


@dataclass(kw_only=True)
class _Moved:
    """What a migration did, statement by statement, and what was there before and after."""

    files: Mapping[str, list[Statement]]
    watch: Watch
    stopped: str = ""
    """Why it stopped at rows that the old schema takes, else empty."""
    stopped_at: Place | None = None
    before: _Contents
    after: _Contents


async def _moved(artifact: Artifact, base: Artifact | None, scratch: Scratch, outcome: Outcome) -> _Moved | None:
    """Run a migration over its base; None where there is nothing to migrate.

    First over rows that leave empty what may be empty. Where it stops at those, once more without them: whether such
    rows are there is known where the data is, and not here.
    """
    try:
        moved = await _run(artifact, base, scratch, Outcome(), bare=True)
        if moved is None or not moved.stopped:
            outcome.attacked += moved is not None
            return moved
        return await _run(artifact, base, scratch, outcome, bare=False)
    except (ScratchUnavailable, InvalidInput) as error:
        raise CannotLook(str(error)) from error


async def _run(
    artifact: Artifact, base: Artifact | None, scratch: Scratch, outcome: Outcome, *, bare: bool
) -> _Moved | None:
    old = base.matching(*SQL_FILES) if base else ()
    known = {f.path: f for f in old}
    new = [f for f in artifact.matching(*SQL_FILES) if f.path not in known or f.content != known[f.path].content]
    if not old or not new:
        return None
    if changed := [f.path for f in new if f.path in known]:
        raise CannotLook(f"{changed[0]} stood before and is changed here; what ran already is not run again")
    roles = tuple(dict.fromkeys((*named_roles(artifact, forward(new)), *named_roles(base or artifact, forward(old)))))
    files: dict[str, list[Statement]] = {}
    for part in forward(new):
        files.setdefault(part.source.path, []).append(part)
    async with scratch.database(roles=roles) as database:
        owner, reader = await database.session(OWNER), await database.session(READER)
        await apply(owner, forward(old))
        tables = await catalog.read(database.admin)
        rows = Rows(tables, owner, rich=True)
        for table in tables.values():
            for _ in range(_ROWS):
                full = await rows.insert(table, filled=[c.name for c in table.columns])
                least = await rows.insert(table) if bare or not full.ok else full
                if not full.ok and not least.ok:
                    raise CannotLook(f"no valid row can be made for {table.called}: {least.told.message}")
        before = await _contents(reader, tables)
        watch = Watch(database.admin, owner)
        await watch.begin()
        # Where an index serves, a handful of rows must not be what makes the server read the whole table.
        await owner.run("SET enable_seqscan = off")
        moved = _Moved(files=files, watch=watch, before=before, after={})
        for path, parts in files.items():
            alone = any(t.value == "concurrently" for part in parts for t in part.tokens)
            wrong = await applied(owner, path, parts, autocommit=alone, watch=watch)
            if wrong:
                state = wrong.rstrip(")").rpartition("(")[2]
                if not _REFUSED.fullmatch(state):
                    raise CannotLook(wrong)
                moved.stopped = wrong
                moved.stopped_at = next((p.place for p in parts if wrong.startswith(f"{p.place} ")), None)
                outcome.attacked += 1
                return moved
        await watch.end()
        moved.after = await _contents(reader, await catalog.read(database.admin))
        outcome.attacked += bool(tables)
        return moved


async def _contents(reader: ScratchSession, tables: Mapping[int, Table]) -> _Contents:
    """Return what every column of every table holds: a handful of rows, for that is all that was put there.

    Asked as the reader: turning a value into text may run what the artifact wrote.
    """
    found: dict[str, dict[str, tuple[catalog.Column, list[str]]]] = {}
    for table in tables.values():
        found[table.called] = {}
        for column in table.columns:
            name = named(column.name)
            text = f"trim_scale({name}::numeric)::text" if _number(column) else f"{name}::text"
            told = await reader.ask(
                f"SELECT coalesce(array_agg({text} ORDER BY 1), '{{}}') FROM {table.sql} WHERE {name} IS NOT NULL"  # noqa: S608
            )
            found[table.called][column.name] = (column, list(told.value or ()))
    return found


def _number(column: catalog.Column) -> bool:
    return column.category == "N" and column.base not in ("money", "oid", "regclass")


async def locks(artifact: Artifact, base: Artifact | None, scratch: Scratch) -> Outcome:
    """Find what holds up everybody who uses a table while all its rows are read or written again."""
    outcome = Outcome()
    moved = await _moved(artifact, base, scratch, outcome)
    if moved is None:
        return outcome
    if moved.stopped:
        outcome.unable.append(moved.stopped)
    told: set[tuple[str, int, str]] = set()
    for event in moved.watch.events:
        if event.what == "locks":
            continue
        mode = _strongest(moved.watch.events, event)
        key = (event.file, event.statement, event.relation)
        if mode < _STOPS_WRITES or key in told:
            continue
        told.add(key)
        place = moved.files[event.file][event.statement - 1].place
        does = "writes every row of it again" if event.what == "rewrites" else "reads every row of it"
        holds = "reads nor writes" if MODES[mode] == "AccessExclusiveLock" else "writes"
        outcome.findings.append(
            finding(
                "migration.locks",
                place,
                f"The migration {does} while {MODES[mode]} on {event.relation} lets nobody's {holds} through.",
                place.text[:500],
                "Build indexes CONCURRENTLY, add constraints NOT VALID and validate them in a statement of their own, "
                "and change types by a new column that is filled in parts.",
                severity=Severity.MAJOR,
            )
        )
    return outcome


def _strongest(events: list[Seen], event: Seen) -> int:
    """Return the strongest lock on an event's table that its transaction held by then, -1 for none."""
    held = [
        MODES.index(e.mode)
        for e in events
        if (e.what, e.transaction, e.relation) == ("locks", event.transaction, event.relation)
        and e.statement <= event.statement
    ]
    return max(held, default=-1)


async def destroys(artifact: Artifact, base: Artifact | None, scratch: Scratch) -> Outcome:
    """Find rows, columns, tables and values that were there before and are not afterwards."""
    outcome = Outcome()
    moved = await _moved(artifact, base, scratch, outcome)
    if moved is None:
        return outcome
    if moved.stopped:
        outcome.findings.append(
            finding(
                "migration.destroys",
                moved.stopped_at,
                f"The migration stops at rows that the schema before it takes: {moved.stopped}.",
                moved.stopped,
                "Give old rows a value before they need one, and prove that they have it.",
                severity=Severity.MAJOR,
            )
        )
        return outcome
    for table, rows_before, rows_after, gone in moved.watch.lost:
        name = table.rpartition(".")[2].strip('"')
        columns = [c for c in gone if not _carried(moved, table, c)]
        if (gone and not columns) or (rows_after is None and all(_carried(moved, table, c) for c in gone)):
            continue
        if rows_after is None:
            said, word = f"{table} with its {rows_before} rows is no longer there.", name
        elif columns:
            said, word = f"{table} no longer has {', '.join(columns)}.", columns[0].strip('"')
        else:
            said, word = f"{table} had {rows_before} rows, and has {rows_after}.", name
        _add(outcome, moved, said, name, word)
    lost = {t for t, _, _, _ in moved.watch.lost}
    for table, columns_before in moved.before.items():
        for column, (old, values) in columns_before.items():
            new, now = moved.after.get(table, {}).get(column, (old, values))
            emptied = bool(values) and not now
            changed = new.type != old.type and new.category == old.category and old.category in "NS" and values != now
            if table not in lost and (emptied or changed):
                said = f"Values of {table}.{column} are not what they were: {values[0]!r:.80} was among them."
                if emptied or Counter(values) - Counter(now):
                    _add(outcome, moved, said, table, column)
    return outcome


def _carried(moved: _Moved, table: str, column: str) -> bool:
    """Say whether all that a column held stands elsewhere now, word for word, and it was not merely renamed."""
    for parts in moved.files.values():
        for part in parts:
            values = {t.value for t in part.tokens if t.kind in ("word", "quoted")}
            if "rename" in values and column in values:
                return False
    old = {word for value in moved.before.get(table, {}).get(column, (None, []))[1] for word in value.split()}
    now = {
        word
        for name, columns in moved.after.items()
        for other, (_, held) in columns.items()
        if other not in moved.before.get(name, {})
        for value in held
        for word in value.split()
    }
    return bool(old) and old <= now


def _add(outcome: Outcome, moved: _Moved, said: str, table: str, word: str) -> None:
    place = _spoken(moved.files, table, word)
    outcome.findings.append(
        finding(
            "migration.destroys",
            place,
            said,
            place.text[:500] if place else said,
            "Keep what is used until nothing reads it any more: add first, move, and remove in a later release.",
            severity=Severity.MAJOR,
        )
    )


def _spoken(files: Mapping[str, list[Statement]], table: str, word: str) -> Place | None:
    """Return the statement that speaks of a table and of a word; else one that speaks of the table."""
    best: tuple[int, Place] | None = None
    for parts in files.values():
        for part in parts:
            values = {t.value for t in part.tokens if t.kind in ("word", "quoted")}
            if table.rpartition(".")[2] not in values or not values & _CHANGING:
                continue
            rank = 2 * (word in values) + bool(values & _TAKING)
            if best is None or rank > best[0]:
                best = (rank, part.place)
    return best[1] if best else None
