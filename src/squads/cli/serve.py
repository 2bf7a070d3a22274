"""`squads serve`: the project's own squad at every open packet of the workspace that nobody else holds.

It is meant to run for long, beside programs that open packets: what they leave behind when they die goes on here.
"""

from __future__ import annotations

import asyncio
import logging
import signal

from squads.adapters.health_server import HealthServer, Page
from squads.cli.gate import default_store
from squads.cli.over_bus import OverBus
from squads.cli.run import project_here
from squads.cli.telemetry import telemetry_here
from squads.host import METRICS_TYPE
from squads.squad import Squad
from squads.stores import Place

log = logging.getLogger("squads.serve")


def serve_workspace(*, store: Place | None, over: OverBus = OverBus(), health: str | None = None) -> int:  # noqa: B008
    """Serve until SIGTERM or SIGINT, then give back what is open; 0. One line in the log per packet.

    `health` is where `/live` and `/metrics` are served meanwhile, as `HOST:PORT`.
    """
    logging.getLogger("squads.serve").setLevel(logging.INFO)
    options = over.options()
    squad = project_here().squad(store=store or default_store(), telemetry=telemetry_here(), **options)
    asyncio.run(_serve(squad, health))
    return 0


async def _serve(squad: Squad, health: str | None) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with squad:
        anchoring = (await squad.workspace()).anchoring
        pages = {"/live": Page, "/metrics": lambda: Page(text=anchoring.metrics(), media_type=METRICS_TYPE)}
        server = None if health is None else HealthServer(health, pages)
        try:
            if server is not None:
                await server.start()
                log.info("health is served on port %d", server.port)
            await squad.serve(end)
        finally:
            if server is not None:
                await server.close()
