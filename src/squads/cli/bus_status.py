"""The bus's part of `squads status`: queues, workers, dead letters, and whom work waits for that nobody serves."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.survey import BusStanding, Queue, said_of, survey
from squads.cli.readable import count, line, shown, span
from squads.contracts.errors import BusError

SHOWN_MAX = 20
"""How many queues and workers are shown to a person."""


async def look_at_bus(address: BusAddress, workspace: str) -> BusStanding | str:
    """Return how the bus stands, or one sentence where that could not be found out."""
    link = Link.open(address)
    try:
        return await survey(link, workspace)
    except BusError as error:
        return str(error)
    finally:
        await link.close()


def print_bus(out: Console, found: BusStanding | str) -> None:
    """Print the bus's part for a person."""
    if isinstance(found, str):
        out.print(Text("\nThe bus", style="bold"))
        line(out, ("? ", "bold yellow"), shown(found))
        return
    out.print(Text.assemble(("\nThe bus", "bold"), (f"  {shown(found.address)}, {found.server}", "dim")))
    busy = [queue for queue in found.queues if queue.waiting or queue.in_hand]
    for queue in busy[:SHOWN_MAX]:
        _queue(out, queue)
    if not busy:
        line(out, f"nothing waits in {count(len(found.queues), 'queue')}")
    elif len(busy) > SHOWN_MAX:
        line(out, f"… and {len(busy) - SHOWN_MAX} more queues; --json has them all")
    _workers(out, found)
    if found.dead_total:
        reasons = ", ".join(f"{shown(one.reason) or 'no reason'} ({one.count})" for one in found.dead[:5])
        line(out, (f"{count(found.dead_total, 'dead letter')}: ", "yellow"), reasons, "; `squads dead list` shows them")
    roster = "none is published" if found.roster_age_ms is None else f"{span(found.roster_age_ms)} old"
    line(out, f"roster: {roster}")
    for queue in found.unserved:
        line(out, ("! ", "bold yellow"), f"{shown(said_of(queue))} has {queue.waiting:,} waiting and nobody serves it")
    if not found.complete:
        line(out, ("? ", "bold yellow"), "the server has more keys than one look reads; some queue may be missing here")


def _queue(out: Console, queue: Queue) -> None:
    oldest = f", the oldest for {span(queue.oldest_ms)}" if queue.oldest_ms is not None else ""
    alone = f", {queue.quarantined:,} tried alone" if queue.quarantined else ""
    line(out, f"to {shown(said_of(queue))}: {queue.waiting:,} waiting{oldest}, {queue.in_hand:,} in hand{alone}")


def _workers(out: Console, found: BusStanding) -> None:
    alive = [worker for worker in found.workers if worker.alive]
    gone = len(found.workers) - len(alive)
    line(out, count(len(alive), "consumer") + " alive" + (f", {gone:,} without a heartbeat" if gone else ""))
    for worker in alive[:SHOWN_MAX]:
        line(out, f"{shown(worker.name)}: {worker.in_hand:,} in hand, asked {span(worker.idle_ms)} ago", indent=4)
    if len(alive) > SHOWN_MAX:
        line(out, f"… and {len(alive) - SHOWN_MAX} more; --json has them all", indent=4)
