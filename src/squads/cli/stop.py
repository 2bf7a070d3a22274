"""`squads stop` and `squads lift`: anyone stops, also beside a squad at work; a person lifts."""

from __future__ import annotations

import asyncio
import json
import sys

from rich.text import Text

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import line, short, shown, when
from squads.desk import Desk
from squads.overview import StopInForce
from squads.stores import Place
from squads.workspace import OWNER


def stop_work(reason: str, *, packet: str | None, person: str | None, store: Place | None, as_json: bool) -> int:
    """Stop the workspace or one packet, say what that does and what not, and return 0."""
    return asyncio.run(_stop(reason, packet, person, store or default_store(), as_json=as_json))


def lift_stop(reason: str, *, packet: str | None, person: str, store: Place | None, as_json: bool) -> int:
    """Lift a stop as a person, and return 0."""
    return asyncio.run(_lift(reason, packet, person, store or default_store(), as_json=as_json))


async def _stop(reason: str, packet: str | None, person: str | None, store: Place, *, as_json: bool) -> int:
    async with Desk.open(store) as desk:
        done = await desk.stop(reason, packet=packet, person=person)
        stops = await desk.stops()
        now_ms = desk.workspace.clock.now_ms()
    if as_json:
        _print_json({"stopped": True, "changed": done}, stops)
        return 0
    out = show.console()
    what = f"packet {short(packet)}" if packet else "the workspace"
    if done:
        out.print(Text(f"Stopped: {what}.", style="bold red"))
        line(out, "From now on nothing of it is handed out, answered or composed.")
        line(out, "A squad at work notices at its next step; what a role is doing right now is not undone.")
        line(out, f'A person lifts it: squads lift "why"{f" --packet {short(packet)}" if packet else ""}')
    else:
        out.print(Text(f"It was stopped already: {what}.", style="yellow"))
        for stop in stops:
            _print_stop(stop, now_ms)
    return 0


async def _lift(reason: str, packet: str | None, person: str, store: Place, *, as_json: bool) -> int:
    async with Desk.open(store) as desk:
        done = await desk.lift(reason, person=person, packet=packet)
        stops = await desk.stops()
        now_ms = desk.workspace.clock.now_ms()
    if as_json:
        _print_json({"lifted": done, "changed": done}, stops)
        return 0
    out = show.console()
    what = f"packet {short(packet)}" if packet else "the workspace"
    if done:
        out.print(Text(f"Lifted: {what}, by {shown(person or OWNER)}.", style="bold green"))
        line(out, "Packets go on when the squad they were opened with resumes them.")
    else:
        out.print(Text(f"There was nothing to lift: {what} is not stopped.", style="yellow"))
    if stops:
        line(out, "Still in force:")
        for stop in stops:
            _print_stop(stop, now_ms)
    return 0


def _print_stop(stop: StopInForce, now_ms: int) -> None:
    what = f"packet {short(stop.packet)}" if stop.packet else "the workspace"
    reason = "(the reason is gone)" if stop.reason is None else f'"{shown(stop.reason)}"'
    line(show.console(), f"{what}, by {stop.by} {when(stop.since_ms, now_ms)}: {reason}", indent=4)


def _print_json(data: dict[str, object], stops: tuple[StopInForce, ...]) -> None:
    in_force = [stop.model_dump(mode="json") for stop in stops]
    sys.stdout.write(json.dumps({**data, "stops": in_force, "exit_code": 0}) + "\n")
