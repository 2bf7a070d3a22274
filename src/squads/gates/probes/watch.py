"""Sees what a migration does to tables in use: which locks it takes, what it rewrites or scans, and what it loses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from squads.contracts.errors import ScratchUnavailable
from squads.kernel.scratch_ports import ScratchSession

MODES = (
    *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock"),
    *("ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"),
)
"""PostgreSQL's table locks, the weakest first."""
_LOOK_SECONDS = 0.005
_NAME = (
    "CASE n.nspname WHEN 'public' THEN quote_ident(c.relname) ELSE quote_ident(n.nspname) || '.' || "
    "quote_ident(c.relname) END"
)
_RELATIONS = f"""
SELECT c.oid, {_NAME}, c.relkind::text, pg_relation_filenode(c.oid),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
       quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'squads_probe')
  AND n.nspname NOT LIKE 'pg_toast%' AND n.nspname NOT LIKE 'pg_temp%'
ORDER BY 2
"""  # noqa: S608
_LOCKS = (
    "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation' AND granted AND relation = ANY($2)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a statement did to a relation that was there before."""

    what: Literal["locks", "scans", "rewrites"]
    file: str
    statement: int
    """Counted from 1 in its file."""
    relation: str
    mode: str = ""
    transaction: int = 0
    """What was locked in one stays locked to its end."""


class Watch:
    """Looks on from another connection while a migration runs, and writes what it saw into `squads_probe`."""

    def __init__(self, admin: ScratchSession, owner: ScratchSession) -> None:
        self._admin = admin
        self._owner = owner
        self._names: dict[int, str] = {}
        self._columns: dict[str, list[str]] = {}
        self._rows: dict[str, int] = {}
        self._nodes: dict[int, int | None] = {}
        self._nodes_now: dict[int, int | None] = {}
        self._transactions = 0
        self._held: dict[int, int] = {}
        self._scans: dict[int, int] = {}
        self._seen: list[str] = []
        self.events: list[Seen] = []
        """What every statement did, in order."""
        self.lost: list[tuple[str, int, int | None, list[str]]] = []
        """Relations that lost something: name, rows before, rows after or None, columns."""
        self._file = ""

    @property
    def story(self) -> str:
        """What it saw, for people."""
        return "; ".join(self._seen)

    async def begin(self) -> None:
        """Note what is there before the migration; without anything there is nothing to watch."""
        for oid, name, kind, _, columns, whole in (await self._admin.ask(_RELATIONS)).records:
            if kind != "v":
                self._names[oid] = name
            self._columns[name] = columns
            self._rows[name] = await self._count(whole, kind) or 0

    async def file(self, name: str) -> None:
        """Note where the tables' data lies before a file."""
        self._file = name
        self._nodes = await self._lie()

    async def transaction(self, session: ScratchSession) -> None:
        """Note what stands at the begin of a transaction: nothing is held, and scans were counted before."""
        self._held.clear()
        self._transactions += 1
        if not self._names:
            return
        self._scans = await self._scanned(session)
        self._nodes_now = await self._lie(session)

    async def look(self, session: ScratchSession, number: int, sql: str) -> None:
        """Write down what a statement locked and scanned that the ones before it in its transaction had not."""
        if not self._names:
            return
        await self._note((await self._admin.ask(_LOCKS, session.pid, list(self._names))).records, number, sql)
        scans = await self._scanned(session)
        for oid, count in scans.items():
            if count > self._scans.get(oid, 0):
                await self._write("scans", self._file, number, sql, self._names[oid])
                self.events.append(Seen("scans", self._file, number, self._names[oid], "", self._transactions))
                self._seen.append(f"{self._file}: statement {number} scans {self._names[oid]}")
        self._scans = scans
        for oid, node in (await self._lie(session)).items():
            if node != self._nodes_now.get(oid):
                self._nodes_now[oid] = node
                self.events.append(Seen("rewrites", self._file, number, self._names[oid], "", self._transactions))

    @asynccontextmanager
    async def looking_on(self, session: ScratchSession, number: int, sql: str) -> AsyncIterator[None]:
        """Look again and again while a statement runs that has transactions of its own."""

        async def go() -> None:
            while self._names:
                found = await self._admin.ask(_LOCKS, session.pid, list(self._names))
                await self._note(found.records, number, sql)
                await asyncio.sleep(_LOOK_SECONDS)

        self._held.clear()
        task = asyncio.create_task(go())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._held.clear()

    async def file_done(self, name: str) -> None:
        """Write down what a file rewrote."""
        for oid, node in (await self._lie()).items():
            if node != self._nodes.get(oid):
                await self._write("rewrites", name, self._names[oid])
                self._seen.append(f"{name} rewrites {self._names[oid]}")

    async def end(self) -> None:
        """Write down what is no longer there: rows, columns, whole relations, all looked for by their old names."""
        now = {r[1]: r[2:] for r in (await self._admin.ask(_RELATIONS)).records}
        for name, columns in self._columns.items():
            kind, _, left, whole = now.get(name, ("", None, (), ""))
            rows = await self._count(whole, kind) if kind else None
            gone = [c for c in columns if c not in left]
            if gone or rows is None or rows < self._rows[name]:
                self.lost.append((name, self._rows[name], rows, gone))
                await self._write("lost", name, self._rows[name], rows, ", ".join(gone))
                self._seen.append(f"{name} loses {', '.join(gone) or 'rows'} ({self._rows[name]} rows, then {rows})")

    async def _note(self, locks: Sequence[tuple[Any, ...]], number: int, sql: str) -> None:
        strongest: dict[int, int] = {}
        for oid, mode in locks:
            strongest[oid] = max(strongest.get(oid, -1), MODES.index(mode))
        for oid, mode in strongest.items():
            if mode > self._held.get(oid, -1):
                self._held[oid] = mode
                await self._write("locks", self._file, number, sql, self._names[oid], MODES[mode])
                self.events.append(Seen("locks", self._file, number, self._names[oid], MODES[mode], self._transactions))
                self._seen.append(f"{self._file}: statement {number} locks {self._names[oid]} {MODES[mode]}")

    async def _lie(self, session: ScratchSession | None = None) -> dict[int, int | None]:
        told = await (session or self._admin).ask(
            "SELECT c.oid, pg_relation_filenode(c.oid) FROM pg_class c WHERE c.oid = ANY($1)", list(self._names)
        )
        return dict(told.records)

    async def _count(self, whole: str, kind: str) -> int | None:
        # A view runs what the artifact wrote into it, so its owner asks; a table is counted past its policies.
        asked = self._owner if kind == "v" else self._admin
        rows: int | None = (await asked.ask(f"SELECT count(*) FROM {whole}")).value  # noqa: S608
        return rows

    async def _scanned(self, session: ScratchSession) -> dict[int, int]:
        # Asked in the session itself: the server knows only there what an open transaction has scanned.
        told = await session.ask("SELECT o, pg_stat_get_xact_numscans(o) FROM unnest($1::oid[]) o", list(self._names))
        return dict(told.records)

    async def _write(self, table: str, *values: Any) -> None:
        slots = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        told = await self._admin.ask(f"INSERT INTO squads_probe.{table} VALUES ({slots})", *values)  # noqa: S608
        if not told.ok:
            raise ScratchUnavailable(f"what was seen cannot be written down: {told.message}")
