"""What a squad needs on one event loop: bus, runner and worker, started together and closed in turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

from squads.adapters.local_bus import LocalBus
from squads.adapters.sealed_journal import SealedJournal
from squads.buses import BusSettings, RunnerBus
from squads.contracts.errors import LedgerError, SquadsError
from squads.contracts.messages import address_of
from squads.contracts.outcome import Composed, NotComposed, Outcome
from squads.contracts.records import FinishRecord, Opened, PacketRecord, RoleRecord
from squads.handover import Reader
from squads.kernel.bus_ports import Bus
from squads.kernel.model_ports import Model, Sandbox
from squads.kernel.ports import Approver, Role
from squads.keyring import Speakers
from squads.lane import Lane, Listener
from squads.levels import before_telling_end
from squads.minding import Minding, Watchers
from squads.outcomes import outcome_of
from squads.people import Introduced
from squads.runner import LOOK_SECONDS, Runner
from squads.telemetry import NO_TRACING, Telemetry, Tracing, tracing_of
from squads.worker import Worker
from squads.workspace import JOURNAL, Workspace

log = logging.getLogger("squads.runner")
AGAIN_SECONDS = 30.0
"""How often whatever is pending is sent again on a bus that can lose messages: a twin costs little."""


class Session:
    """One event loop's part of a squad; `ready` ends when it has started."""

    workspace: Workspace
    runner: Runner
    people: dict[str, str]
    """Names by opaque id."""

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[Session], Awaitable[None]]) -> None:
        self.loop = loop
        self.users = 0
        self.watchers = Watchers()
        self._tracing: Tracing = NO_TRACING
        self.ready = asyncio.ensure_future(begin(self), loop=loop)
        self._parts: list[Worker | Runner] = []
        self._shared: RunnerBus | None = None
        self._looking: list[asyncio.Task[None]] = []

    async def start(
        self,
        workspace: Workspace,
        roles: Mapping[str, Role],
        people: Iterable[str],
        *,
        records: Mapping[str, RoleRecord],
        approver: Approver | None,
        slots: int,
        model: Model | None = None,
        sandbox: Sandbox | None = None,
        telemetry: Telemetry | None = None,
        settings: BusSettings | None = None,
    ) -> None:
        """Put a runner, and a worker for `roles`, on a bus: of their own, or over the server that `settings` name.

        `records` are all roles of the squad; those that are not in `roles` are served elsewhere.
        """
        self.workspace = workspace
        self.people = {workspace.person(name): name for name in people}
        reader = Reader(workspace.blobs)
        shared = self._shared = None if settings is None else RunnerBus(settings, workspace, records, reader)
        bus: Bus = LocalBus() if shared is None else shared.bus
        for name, record in records.items():
            bus.declare(address_of(name, record.digest))
        introduced = Introduced(approver, self.people) if approver else None
        self.runner = Runner(
            workspace,
            bus,
            approver=introduced,
            reader=reader,
            roles=records,
            offer=None if shared is None else shared.offering,
        )
        # The store is not trusted, and what it says of a model's reply would become a signed verdict.
        journal = SealedJournal(workspace.ledger.journal, lambda: workspace.signer(JOURNAL))
        minding = Minding(
            model,
            records,
            journal=journal if shared is None else shared.journal,
            blobs=workspace.blobs,
            sandbox=sandbox,
            watch=self.watchers.tell,
            watched=self.watchers.any,
            text=self.watchers.text,
        )
        self._tracing = tracing_of(telemetry, records, journal)
        self._worker = worker = Worker(
            bus,
            reader,
            roles,
            Speakers({name: f"{role.kind}:{name}" for name, role in roles.items()}, workspace.speaker),
            clock=workspace.clock,
            entropy=workspace.entropy,
            permit=self.runner.permit,
            slots=slots,
            records=records,
            minding=minding,
            tracing=self._tracing,
        )
        if shared is not None:
            await shared.start(lost=partial(self.runner.send_again, lost=True), watch=self.watchers.tell)
        self._parts = [worker, self.runner]
        worker.start()
        self.runner.start()
        if model is not None or shared is not None:
            self._looking.append(asyncio.create_task(self._look_out()))
        if shared is not None:
            self._looking.append(asyncio.create_task(self._send_again()))

    async def stopped(self) -> None:
        """Let a stop that is in force reach those who wait for a packet, and models that are asked for one."""
        self._worker.let_go(self.workspace.view.stopped)
        await self.runner.stopped()

    async def _look_out(self) -> None:
        """While models or hosts are asked, look whether another process has set a stop: nothing else would tell us."""
        stops = self.workspace.view.stops
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._worker.asks and self._shared is None:
                continue
            with suppress(LedgerError):  # whoever sends or claims next will meet it
                await self.workspace.confirm()
                before, stops = stops, self.workspace.view.stops
                if self._worker.let_go(self.workspace.view.stopped) or stops != before:
                    await self.runner.stopped()

    async def _send_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                await self.runner.send_again()
            except SquadsError as error:
                log.info("could not send again what is pending: %s", error)

    # One packet, from its opening or resumption until it ends or waits ------------------------------------------------

    async def open(self, opened: Opened, content: tuple[bytes, ...], listener: Listener) -> Lane:
        """Open a packet; follow its lane with `settled` or `follow`."""
        await self._tracing.begin(opened.packet)
        try:
            return await self.runner.open(opened, content, listener=listener)
        except BaseException as error:
            self._tracing.leave(opened.packet, error)
            raise

    async def resume(self, packet: str, listener: Listener) -> Lane:
        """Take up an open packet from the ledger; follow its lane with `settled`. Raises `UnknownPacket`."""
        await self._tracing.begin(packet, resumed=True)
        try:
            return await self.runner.resume(packet, listener=listener)
        except BaseException as error:
            self._tracing.leave(packet, error)
            raise

    async def settled(self, lane: Lane, happened: asyncio.Event) -> Outcome:
        """Return how a packet stands once nothing more happens here by itself; `happened` is set when something has."""
        try:
            while True:
                await happened.wait()
                happened.clear()
                if (outcome := await self._outcome_of(lane)) is not None:
                    return outcome
        except BaseException as error:
            self._tracing.leave(lane.packet, error)
            raise

    async def follow(
        self, lane: Lane, queue: asyncio.Queue[PacketRecord | None]
    ) -> AsyncGenerator[PacketRecord | Outcome, None]:
        """Yield every receipt that comes in, and at last how the packet stands. Close it where it is left early."""
        outcome: Outcome | None = None
        try:
            while outcome is None:
                record = await queue.get()
                if isinstance(record, FinishRecord) and record.artifact is not None:
                    await before_telling_end(self.workspace, lane.packet)
                if record is not None:
                    yield record
                else:
                    outcome = await self._outcome_of(lane)
        except BaseException as error:
            self.watchers.drop(lane.packet)
            self._tracing.leave(lane.packet, None if isinstance(error, GeneratorExit) else error)
            raise
        while not queue.empty():  # a wake-up from before may have found the packet's end
            if (record := queue.get_nowait()) is not None:
                yield record
        yield outcome

    async def _outcome_of(self, lane: Lane) -> Outcome | None:
        runner = self.runner
        outcome = await outcome_of(lane, self.workspace, runner.reader, self.people, runner.ignored)
        if isinstance(outcome, (Composed, NotComposed)):
            runner.forget(lane)
        if outcome is not None:
            self.watchers.drop(lane.packet)
            await self._tracing.end(lane.packet, outcome)
        return outcome

    async def close(self) -> None:
        """Close what was started: whoever answers first, whoever carries the answers last."""
        await asyncio.gather(self.ready, return_exceptions=True)
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        for part in self._parts:
            await part.close()
        if self._shared is not None:
            # A workspace in memory ends with its squad: nobody could ever read what it left on the server.
            await self._shared.close(forget=self.workspace.in_memory)
        if self._parts:
            await self.workspace.anchoring.rest()
