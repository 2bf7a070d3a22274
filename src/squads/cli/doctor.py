"""`squads doctor`: whether the bus's server could lose work or show it to strangers, and the exact line to change."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from rich.text import Text

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.doctor import examine
from squads.adapters.redis_bus.fitness import Diagnosis
from squads.adapters.redis_bus.link import Link
from squads.cli import show
from squads.cli.readable import count, line, shown
from squads.contracts.errors import InvalidInput

BUS = "SQUADS_BUS"
MARKS = {"fine": ("✓", "green"), "warning": ("!", "yellow"), "unseen": ("?", "yellow"), "refused": ("✗", "red")}


def examine_bus(bus: str | None, *, disposable: bool, as_json: bool) -> int:
    """Print what was found about the server; return 0 when nothing is refused and everything could be seen, else 2."""
    found = asyncio.run(_examine(bus_address(bus), disposable))
    if as_json:
        sys.stdout.write(json.dumps({**found.model_dump(mode="json"), "exit_code": found.exit_code}) + "\n")
        return found.exit_code
    print_diagnosis(found)
    return found.exit_code


def bus_address(bus: str | None) -> BusAddress:
    """Return the address of `--bus`, or of SQUADS_BUS. Raises `InvalidInput` where neither is given."""
    url = bus or os.environ.get(BUS, "")
    if not url:
        raise InvalidInput(f"no bus is named; give --bus redis://host:6379, or set {BUS}")
    return BusAddress.parse(url)


async def _examine(address: BusAddress, disposable: bool) -> Diagnosis:
    link = Link.open(address)
    try:
        return await examine(link, disposable=disposable)
    finally:
        await link.close()


def print_diagnosis(found: Diagnosis) -> None:
    """Print one line for each look; what is not fine also says why, and what to change."""
    out = show.console()
    server = f", {found.server}" if found.server else ""
    out.print(Text(f"The bus at {shown(found.address)}{server}", style="bold"))
    for one in found.findings:
        mark, colour = MARKS[one.grade]
        line(out, (f"{mark} ", f"bold {colour}"), f"{one.check:<12}", shown(one.what))
        if one.grade != "fine":
            line(out, f"{shown(one.why)}", indent=16)
            line(out, ("→ ", "bold"), shown(one.fix), indent=16)
    if any("CONFIG SET" in one.fix for one in found.findings):
        line(out, ("CONFIG REWRITE keeps what CONFIG SET changed beyond the next restart.", "dim"))
    refused, unseen = len(found.refused), sum(one.grade == "unseen" for one in found.findings)
    if refused:
        out.print(Text(f"Refused: {count(refused, 'setting')} must be changed first.", style="bold red"))
    elif unseen:
        out.print(Text(f"Not known: {count(unseen, 'setting')} could not be looked at.", style="bold yellow"))
    else:
        out.print(Text("Fit for work.", style="bold green"))
