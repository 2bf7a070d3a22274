"""`squads serve`: the project's own squad at every open packet of the workspace that nobody else holds.

It is meant to run for long, beside programs that open packets: what they leave behind when they die goes on here.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

from squads.cli.gate import default_store
from squads.cli.over_bus import OverBus
from squads.cli.run import project_here
from squads.cli.telemetry import telemetry_here
from squads.squad import Squad


def serve_workspace(*, store: Path | None, over: OverBus = OverBus()) -> int:  # noqa: B008
    """Serve until SIGTERM or SIGINT, then give back what is open; 0. One line in the log per packet."""
    logging.getLogger("squads.serve").setLevel(logging.INFO)
    options = over.options()
    squad = project_here().squad(store=store or default_store(), telemetry=telemetry_here(), **options)
    asyncio.run(_serve(squad))
    return 0


async def _serve(squad: Squad) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with squad:
        await squad.serve(end)
