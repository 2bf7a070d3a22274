"""`squads worker` with a bus in its own process: what a server and a runner would be to it stands in here."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from squads import buses
from squads.adapters.local_bus import LocalBus
from squads.cli.gate import project_for
from squads.contracts.base import SALT_BYTES
from squads.contracts.messages import address_of
from squads.host import HostParts
from squads.roster import roster_of
from squads.runner import Runner

STORE = Path(".squads")


@asynccontextmanager
async def worker_parts(bus: Any, **given: Any) -> AsyncIterator[HostParts]:
    """Run the project's packet next to the worker: its runner asks over a bus that both have."""
    project = project_for()
    assert project is not None
    squad = project.squad(store=STORE)
    workspace = await squad.workspace()
    own, numbers = LocalBus(), count(1)
    for name, (_, record) in squad._roles.items():
        own.declare(address_of(name, record.digest))

    async def read() -> bytes:
        return await roster_of(workspace, number=next(numbers))

    runner = Runner(workspace, own)
    runner.start()
    packet = squad._packet("A table.")
    digest, blob = packet.seal(workspace.entropy(SALT_BYTES))
    await runner.open(squad._opening(packet, digest), (blob,))
    parts = HostParts(
        bus=own, blobs=workspace.blobs, journal=workspace.ledger.journal, read_roster=read, label="redis://here"
    )
    try:
        yield parts
    finally:
        await runner.close()
        await own.close()
        await squad.close()


if __name__ == "__main__":
    buses.worker_parts = worker_parts  # type: ignore[assignment]
    from squads.cli import main

    sys.argv = ["squads", "worker", *sys.argv[1:]]
    main()
