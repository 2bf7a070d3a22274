"""What a squad needs on one event loop: bus, runner and worker, started together and closed in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from squads.adapters.local_bus import LocalBus
from squads.contracts.records import RoleRecord
from squads.handover import Reader
from squads.kernel.ports import Approver, Role
from squads.people import Introduced
from squads.runner import Runner
from squads.worker import Worker
from squads.workspace import Workspace


class Session:
    """One event loop's part of a squad; `ready` ends when it has started."""

    workspace: Workspace
    runner: Runner
    people: dict[str, str]
    """Names by opaque id."""

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[Session], Awaitable[None]]) -> None:
        self.loop = loop
        self.users = 0
        self.ready = asyncio.ensure_future(begin(self), loop=loop)
        self._parts: list[Worker | Runner | LocalBus] = []

    async def start(
        self,
        workspace: Workspace,
        roles: Mapping[str, Role],
        people: Iterable[str],
        *,
        records: Mapping[str, RoleRecord],
        approver: Approver | None,
        slots: int,
    ) -> None:
        """Put a runner and a worker for `roles` on a bus of their own."""
        self.workspace = workspace
        self.people = {workspace.person(name): name for name in people}
        bus, reader = LocalBus(), Reader(workspace.blobs)
        introduced = Introduced(approver, self.people) if approver else None
        self.runner = Runner(workspace, bus, approver=introduced, reader=reader, roles=records)
        worker = Worker(
            bus,
            reader,
            roles,
            {name: workspace.signer(f"{role.kind}:{name}") for name, role in roles.items()},
            clock=workspace.clock,
            entropy=workspace.entropy,
            permit=self.runner.permit,
            slots=slots,
        )
        self._parts = [worker, self.runner, bus]
        worker.start()
        self.runner.start()

    async def close(self) -> None:
        """Close what was started: whoever answers first, whoever carries the answers last."""
        await asyncio.gather(self.ready, return_exceptions=True)
        for part in self._parts:
            await part.close()
