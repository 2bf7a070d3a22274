"""A gate as it sits in a run: its own code and prior, called by the arm's name, and kept from harming its neighbours.

Nothing is put around what decides: the gate's class, prior, model and members are its own, and so is the digest that
receipts freeze. What is added happens before and after it reads: it is handed what stood before a change, it waits for
a free processor, its reading is timed, and once it has been silent too often it is not asked any more.
"""

from __future__ import annotations

import asyncio
import copy
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from squads.contracts.artifact import Artifact
from squads.contracts.finding import NO_USAGE
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.contracts.work import Reply, ReviewWork, Work
from squads.gates.gate import Gate
from squads.minds.families import models_in

HOLD_SECONDS = 5.0
"""How long one reading may keep a processor from others: one that hangs gives its place back, and goes on hanging."""
SILENT_MAX = 2
"""After so many readings in a row that were cut off by their deadline, a gate is not asked again in this process."""


class NotAskedAgain(Exception):
    """The gate let its deadline pass too often; each further reading would hold up the whole run."""


class Turnstile:
    """Lets as many readings begin as there are processors, so that each one's time is its own."""

    def __init__(self, width: int | None = None) -> None:
        self._free = asyncio.Semaphore(width or max(2, os.cpu_count() or 1))

    async def passing(self, gate: Gate, work: Work) -> tuple[Reply, int]:
        """Return a gate's reply and the milliseconds it took."""
        await self._free.acquire()
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        leaving = [False]

        def leave() -> None:
            if not leaving[0]:
                leaving[0] = True
                self._free.release()

        timer = loop.call_later(HOLD_SECONDS, leave)
        try:
            reply = await type(gate).answer(gate, work)
            return reply, round((time.monotonic() - began) * 1_000)
        finally:
            timer.cancel()
            leave()


def seated(gate: Gate, name: str, *, bases: Mapping[str, Artifact], turnstile: Turnstile | None = None) -> Gate:
    """Return the gate as it sits in a run, called `name`.

    Args:
        gate: Any gate; it is not changed.
        name: The arm's name.
        bases: What stood before, by the digest that an artifact names as its base; it becomes the input `base`.
        turnstile: Shared by gates that compute here; None for those that wait for a model.
    """
    sits: Any = copy.copy(gate)
    sits.name = name
    silent = 0

    async def answer(work: Work) -> Reply:
        nonlocal silent
        if silent >= SILENT_MAX:
            raise NotAskedAgain(f"{name!r} let its deadline pass {silent} times in a row, and is not asked again")
        if isinstance(work, ReviewWork):
            work = with_base(work, bases)
        try:
            if turnstile is None:
                reply, took_ms = await type(gate).answer(sits, work), 0
            else:
                reply, took_ms = await turnstile.passing(sits, work)
        except asyncio.CancelledError:
            silent += 1
            raise
        silent = 0
        return _timed(reply, took_ms)

    sits.answer = answer
    return sits  # type: ignore[no-any-return]


def thinks(gate: Any) -> bool:
    """Say whether a model answers for a gate, or for a member of a panel."""
    return bool(models_in(getattr(gate, "model", None))) or any(map(thinks, getattr(gate, "members", ())))


def with_base(work: ReviewWork, bases: Mapping[str, Artifact]) -> ReviewWork:
    """Return the work with what stood before as the input `base`, where the artifact names it.

    The artifact's manifest names its base by digest, so the verdict's receipt is bound to these very bytes.
    """
    base = bases.get(work.artifact.base or "") if work.artifact is not None else None
    return work if base is None else replace(work, inputs={"base": base, **work.inputs})


def _timed(reply: Reply, took_ms: int) -> Reply:
    """Return the verdict with how long its reading took; what a model's replies took is counted elsewhere."""
    if took_ms and isinstance(reply, (Approved, Refused, Abstained)) and reply.usage == NO_USAGE:
        return reply.but(usage=reply.usage.but(wait_ms=took_ms))
    return reply
