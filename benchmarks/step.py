"""Time per kernel step, and per gate decision in process.

A step is timed by replaying the inputs of one recorded packet (a refusal round, two gates) over `step`, with
signatures and storage left out. A decision is the wall time from a ticket's receipt to its verdict's, in memory,
signatures and all.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from common import Kind, Scripted, Strict, report, sign_microseconds

from squads import Squad
from squads.contracts.records import TicketRecord, VerdictRecord
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import record_of
from squads.kernel.replay import Replay
from squads.kernel.state import Attested
from squads.kernel.step import step
from squads.kernel.view import View
from squads.ledger.types import KINDS
from squads.signing import read_verified

RUNS, ROUNDS, DECISIONS = 7, 300, 300


async def recorded() -> tuple[View, list[Attested]]:
    """Run one packet and return the workspace's view and the packet's inputs as events."""
    squad = Squad(builder=Scripted(), gates=[Strict(), Kind()])
    outcome = await squad.run("A treasury table.")
    workspace = await squad.workspace()
    manifests: dict[str, object] = {}
    replay = Replay(manifests.get, keep={outcome.packet})
    events: list[Attested] = []
    stored = [*await workspace.ledger.read(WORKSPACE), *await workspace.ledger.read(outcome.packet)]
    for item in stored:
        receipt = read_verified(item, replay.view)
        if receipt.kind == "artifact":
            blob = await workspace.blobs.get(receipt.predicate["artifact"])
            from squads.contracts.artifact import Manifest

            manifests[receipt.predicate["artifact"]] = Manifest.parse(blob)
        if KINDS[receipt.kind].stream == "packet" and KINDS[receipt.kind].direction == "input":
            events.append(replay.attest(replay.view, receipt, record_of(receipt.kind, receipt.predicate)))
        replay.feed(receipt)
    return replay.view, events


def steps(view: View, events: list[Attested]) -> float:
    """Return microseconds per step."""
    start = time.process_time()
    for _ in range(ROUNDS):
        state = None
        for event in events:
            state, _ = step(view, state, event)
    assert state is not None
    assert state.ended
    return (time.process_time() - start) / (ROUNDS * len(events)) * 1e6


async def decisions() -> list[float]:
    """Return milliseconds from ticket to verdict, for every decision."""
    waits = []
    async with Squad(builder=Scripted(), gates=[Strict(), Kind()]) as squad:
        for _ in range(DECISIONS // 4):
            asked: dict[str, float] = {}
            async for event in squad.stream("A treasury table."):
                if isinstance(event, TicketRecord):
                    asked[event.ticket] = time.perf_counter()
                elif isinstance(event, VerdictRecord):
                    waits.append((time.perf_counter() - asked[event.ticket]) * 1e3)
    return sorted(waits)


def main() -> None:
    view, events = asyncio.run(recorded())
    steps(view, events)
    step_us = statistics.median(steps(view, events) for _ in range(RUNS))
    waits = asyncio.run(decisions())
    sign_us = sign_microseconds()
    report(
        "step",
        step_us=step_us,
        step_per_ed25519_sign=step_us / sign_us,
        goal_step_us=20,
        decision_p50_ms=statistics.median(waits),
        decision_p99_ms=waits[int(len(waits) * 0.99) - 1],
        goal_decision_p99_ms=1,
        steps_in_a_packet=len(events),
        runs=RUNS,
    )


if __name__ == "__main__":
    main()
