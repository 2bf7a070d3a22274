"""Takes the steps of an attack, in order, each session on a connection of its own.

A step that waits for a lock, or sleeps, stays under way while the next one is taken; it is waited for when its session
is needed again, and at the end. What no step committed is rolled back then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from squads.bench.oracles.page import Step
from squads.gates.sql.lex import Source, statements
from squads.kernel.scratch_ports import ScratchDatabase, ScratchSession, Told

_LOOK_SECONDS = 0.03
_WAITS = """
SELECT cardinality(pg_blocking_pids($1)) > 0
    OR EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type IN ('Lock', 'Timeout'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step, and what the database said to it."""

    name: str
    step: Step
    told: Told

    @property
    def against(self) -> bool:
        """Whether it went against what the oracle expects, so that nothing follows from the rest."""
        return self.step.expect != "any" and self.told.ok != (self.step.expect == "works")

    @property
    def value(self) -> str | None:
        """The first column of the first row, as text."""
        return text_of_value(self.told.value)

    def __str__(self) -> str:
        said = f"{self.told.rows} rows, {self.value}" if self.told.ok else f"{self.told.message} ({self.told.sqlstate})"
        return f"{self.name} as {self.step.role}: {said}"


async def taken(database: ScratchDatabase, steps: Sequence[Step]) -> list[Taken]:
    """Return what came of each step, in their order."""
    sessions: dict[str, ScratchSession] = {}
    under_way: dict[str, asyncio.Task[Told]] = {}
    tasks: list[asyncio.Task[Told]] = []
    try:
        for step in steps:
            key = step.session or f"of {step.role}"
            if key not in sessions:
                sessions[key] = await database.session(step.role)
            if key in under_way:
                await asyncio.wait([under_way[key]])
            task = asyncio.create_task(_take(sessions[key], step))
            under_way[key] = task
            tasks.append(task)
            while not (await asyncio.wait([task], timeout=_LOOK_SECONDS))[0]:
                if (await database.admin.ask(_WAITS, sessions[key].pid)).value:
                    break
        told = [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for session in sessions.values():
        if session.in_transaction:
            await session.run("ROLLBACK")
    return [
        Taken(name=step.name or str(number), step=step, told=t)
        for number, (step, t) in enumerate(zip(steps, told, strict=True), 1)
    ]


async def _take(session: ScratchSession, step: Step) -> Told:
    told = Told(ok=True)
    for name, value in step.set.items():
        told = await session.ask("SELECT set_config($1, $2, false)", name, value)
        if not told.ok:
            return told
    for part in statements(Source("step", step.do)):
        told = await session.ask(part.place.text)
        if not told.ok:
            return told
    return told


def text_of_value(value: Any) -> str | None:
    """Return a value as PostgreSQL would write it, for the plain types."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
    return str(value)
