"""`squads status`: what is known, what is in motion, what needs approval, what changed, what happens next."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from squads.anchoring import Lag
from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.inbox import print_question, print_unreadable
from squads.cli.readable import count, line, short, shown, span, when
from squads.contracts.outcome import RoleSpend
from squads.desk import Desk
from squads.overview import EndedPacket, OpenPacket, Overview, StopInForce
from squads.pages.text import usage_of
from squads.stores import Place

if TYPE_CHECKING:
    from squads.adapters.redis_bus.survey import BusStanding

MARKS = {0: ("✓", "green"), 1: ("✗", "red"), 2: ("?", "yellow")}
WAITS_MAX = 8
"""How many answers that are out are shown of one packet."""


def show_status(*, store: Place | None, limit: int, as_json: bool, bus: str | None = None) -> int:
    """Print how the workspace stands; return 0, 2 where something cannot be read, 3 where a person is waited for.

    `bus` is its server's address; SQUADS_BUS by default. Where it cannot be reached the rest is shown all the same.
    """
    where = store or default_store()
    found, anchors, standing = asyncio.run(_look(where, limit, bus or os.environ.get("SQUADS_BUS", "")))
    contradicted = any(lag.contradicts for lag in anchors)
    code = 2 if contradicted or isinstance(standing, str) else found.exit_code
    if as_json:
        data = {**found.model_dump(mode="json"), "store": str(where), "exit_code": code}
        data["anchors"] = [asdict(lag) for lag in anchors]
        if standing is not None:
            data["bus"] = _bus_data(standing)
        sys.stdout.write(json.dumps(data) + "\n")
        return code
    print_overview(found, where, standing, anchors)
    return code


async def _look(store: Place, limit: int, bus: str) -> tuple[Overview, tuple[Lag, ...], BusStanding | str | None]:
    async with Desk.open(store) as desk:
        found = await desk.overview(limit=limit)
        anchors = await desk.workspace.anchoring.look()
    if not bus:
        return found, anchors, None
    from squads.adapters.redis_bus.address import BusAddress
    from squads.cli.bus_status import look_at_bus

    return found, anchors, await look_at_bus(BusAddress.parse(bus), found.workspace)


def _bus_data(standing: BusStanding | str) -> dict[str, Any]:
    if isinstance(standing, str):
        return {"error": standing}
    unserved = [queue.recipient for queue in standing.unserved]
    return {**standing.model_dump(mode="json"), "unserved": unserved, "error": None}


def print_overview(
    found: Overview, where: Place, standing: BusStanding | str | None = None, anchors: Sequence[Lag] = ()
) -> None:
    """Print the five answers for a person, and how the bus stands where there is one."""
    out = show.console()
    _known(out, found, where)
    _anchored(out, anchors)
    _motion(out, found)
    if standing is not None:
        from squads.cli.bus_status import print_bus

        print_bus(out, standing)
    _approval(out, found)
    _changed(out, found)
    _next(out, found)


def _heading(out: Console, title: str, note: str = "") -> None:
    out.print(Text.assemble((f"\n{title}", "bold"), (f"  {note}" if note else "", "dim")))


def _known(out: Console, found: Overview, where: Place) -> None:
    out.print(Text("What is known", style="bold"))
    line(out, f"workspace {found.workspace}, {count(found.receipts, 'receipt')} in {shown(str(where))}")
    people = ", ".join(p.shown + ("" if p.here else " (key elsewhere)") for p in found.people)
    line(out, f"people: {people or 'nobody; `squads people --add NAME` makes somebody known'}")
    line(out, f"other keys: {', '.join(found.roles) or 'none'}")
    for stop in found.stops:
        line(out, ("STOPPED: ", "bold red"), f"{_scope(stop)}, {_who_stopped(stop, found.now_ms)}")


def _anchored(out: Console, anchors: Sequence[Lag]) -> None:
    for lag in anchors:
        if lag.error:
            mark = ("CONTRADICTS: ", "bold red") if lag.contradicts else ("NOT COMPARED: ", "bold yellow")
            line(out, "anchor ", (shown(lag.name), "bold"), ": ", mark, shown(lag.error))
        else:
            behind = f", {lag.entries:,} behind" if lag.entries else ""
            line(out, "anchor ", (shown(lag.name), "bold"), f": covers {count(lag.size, 'receipt')}{behind}")


def _scope(stop: StopInForce) -> str:
    return f"packet {short(stop.packet)}" if stop.packet else "the whole workspace"


def _who_stopped(stop: StopInForce, now_ms: int) -> str:
    reason = f'"{shown(stop.reason)}"' if stop.reason is not None else "(the reason is gone)"
    return f"by {stop.by} {when(stop.since_ms, now_ms)}: {reason}"


def _motion(out: Console, found: Overview) -> None:
    _heading(out, "What is in motion", _of(len(found.open), found.open_total))
    if not found.open_total:
        line(out, "nothing: no packet is open")
    for packet in found.open:
        _open(out, packet, found.now_ms)


def _of(listed: int, total: int, which: str = "") -> str:
    return f"{which}{listed:,} of {total:,}" if listed < total else (f"{total:,}" if total else "")


def _open(out: Console, packet: OpenPacket, now_ms: int) -> None:
    stopped = (", stopped", "bold red") if packet.stop else ""
    line(out, (short(packet.packet), "bold"), f"  {shown(packet.title)}")
    moved = f", last moved {span(now_ms - packet.moved_ms)} ago, ends {when(packet.due_ms, now_ms)}"
    line(out, packet.phase, stopped, moved, indent=12)
    for task in packet.tasks:
        tries = f", try {task.tries} of {task.tries_max}" if task.tries else ""
        line(out, f"task {shown(task.task)} by {task.builder}: {task.stage}{tries}", indent=12)
    _spent(out, packet.spent)
    waits = [w for w in packet.waits if w.what != "answer"]
    for wait in waits[:WAITS_MAX]:
        what = f"{wait.what}{f' of {shown(wait.task)}' if wait.task else ''}, attempt {wait.attempt}"
        due = ("was due", "yellow") if now_ms >= wait.due_ms else "due"
        since = f" ({what}) for {span(now_ms - wait.since_ms)}, "
        line(out, "waits for ", (wait.who, "bold"), since, due, f" {when(wait.due_ms, now_ms)}", indent=12)
    if len(waits) > WAITS_MAX:
        line(out, f"… and for {len(waits) - WAITS_MAX} more", indent=12)


def _approval(out: Console, found: Overview) -> None:
    _heading(out, "What needs approval", f"{len(found.questions):,}" if found.questions else "")
    if not found.questions:
        line(out, "nothing: nobody is asked" if not any(p.question for p in found.open) else "nothing can be answered")
    if held := sum(1 for p in found.open if p.question and p.stop):
        line(out, f"{count(held, 'question')} {'is' if held == 1 else 'are'} held by a stop")
    for question in found.questions:
        print_question(out, question, found.now_ms, indent=2)


def _changed(out: Console, found: Overview) -> None:
    _heading(out, "What changed", _of(len(found.ended) + len(found.erased), found.ended_total, "the last "))
    if not found.ended_total:
        line(out, "nothing has ended yet")
    for packet in found.ended:
        _ended(out, packet, found.now_ms)
    for gone in found.erased:
        line(out, ("- ", "bold"), (short(gone.packet), "bold"), f"  erased, as receipt {gone.receipt:,} says")


def _ended(out: Console, packet: EndedPacket, now_ms: int) -> None:
    mark, colour = MARKS[packet.exit_code]
    line(out, (f"{mark} ", f"bold {colour}"), (short(packet.packet), "bold"), f"  {shown(packet.title)}")
    ended = f"{packet.outcome} {when(packet.ended_ms, now_ms)}, after {span(packet.ended_ms - packet.opened_ms)}"
    line(out, ended, indent=12)
    if packet.exit_code:
        task = f" (task {shown(packet.task)})" if packet.task else ""
        line(out, (packet.reason, colour), f"{task}: {packet.explained}; exit code {packet.exit_code}", indent=12)
    _spent(out, packet.spent)


def _spent(out: Console, spent: tuple[RoleSpend, ...]) -> None:
    for spender in spent:
        line(out, f"spent by {spender.role}: {usage_of(spender.usage)}", indent=12)


def _next(out: Console, found: Overview) -> None:
    _heading(out, "What happens next")
    for packet in found.open:
        line(out, (short(packet.packet), "bold"), f"  {packet.next.whose}: {packet.next.sentence}")
    if found.open_total > len(found.open):
        line(out, f"{found.open_total - len(found.open):,} open packets are not shown: --limit shows more")
    if found.questions:
        line(out, ("→ ", "bold"), "`squads inbox` shows what is asked, and the commands that answer")
    if found.stops:
        line(out, ("→ ", "bold"), '`squads lift "why"` lifts the stop; for one packet add --packet')
    if not found.open_total and not found.stops:
        line(out, "nothing by itself; hand over a packet, or `squads gate` a change")
    print_unreadable(out, found)
