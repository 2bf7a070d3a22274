"""The library's face: a squad is a temporary team for packets.

`Squad(...)` alone keeps everything in memory with keys that nobody keeps; with `store=` receipts are durable and the
packet can be resumed after anything. Building one checks the roles; running one never raises for a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from squads.adapters.approvers import approver_of
from squads.adapters.system import system_entropy
from squads.buses import BusSettings, bus_settings
from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import Denied, InvalidInput, InvalidSquad
from squads.contracts.outcome import Halted, Outcome
from squads.contracts.packet import ApprovalRule, Budget, Limits, Packet, WorkspaceBudget
from squads.contracts.plan import Statement
from squads.contracts.records import AnswerRecord, Channel, Independence, Opened, PacketRecord, RecalledRecord
from squads.contracts.records import WaiverRecord as WaiverRecord
from squads.contracts.thinking import Progress, UnsafeText
from squads.holding import said_of
from squads.kernel.lifecycle import Phase
from squads.kernel.model_ports import Model, Sandbox
from squads.kernel.ports import Anchor, Approver, Clock, Entropy, Memory
from squads.lane import Lane, Listener
from squads.opening import check_budget, filled, opening_of, recall_for
from squads.people import statement_of
from squads.resolve import check_independence, people_of, resolve, several
from squads.roles.coordinator import OneTask
from squads.serving import Serving
from squads.session import Session
from squads.stores import StoreUrl
from squads.telemetry import Telemetry
from squads.thinking import thinking_with
from squads.workspace import Workspace


class Squad:
    """A coordinator, builders and gates over one workspace.

    Args:
        builder: The builder, when there is one.
        builders: The builders, when there are several; then give a `coordinator` as well.
        gates: `Gate` instances and `@check` functions; all of them are required of a packet that names none.
        coordinator: Cuts packets into tasks; by default one task from the packet's brief.
        store: A directory for durable receipts, or `postgresql://host/database#schema`; None keeps all in memory.
        keys: Where private keys are kept; None is `SQUADS_HOME` or the user's configuration directory.
        limits: Bounds for packets that bring none.
        budget: What packets that bring no budget may spend.
        workspace_budget: What all packets of this workspace may spend together; every packet then needs a budget, and
            sets all of it aside before it begins.
        approval: Who must say yes to compositions of packets that name nobody.
        approver: How to reach those people from here: an `Approver`, a function from the composition to True, False or
            None, or one such function per name. Without it the packet waits in the ledger.
        people: Names of people whose keys this workspace holds. The first one is who `approver` reaches.
        memory: The charter and the facts that roles are told, each what it may read; see `squads.memory`.
        models: Asks the models that roles name: a `Models`, or models of yours by the string that roles use. Made where
            a role needs one and nothing is given.
        sandbox: Where the commands of builders' tools run; without one no command runs.
        independence: How far apart each gate must be from those it judges: `identity`, `prior`, `model`, `family`.
            Asked of every model that may answer, and raises `SelfGate` where it is not reached.
        telemetry: What operators are told through OpenTelemetry; None tells nobody anything.
        bus: A server's address, such as `redis://localhost`, over which workers elsewhere can serve the roles as well;
            or `squads.buses.BusSettings`. None keeps messages in this process.
        hosts: False leaves all roles to workers elsewhere, as `squads worker` and `squads.buses.serve_roles` are.
        anchors: Where checkpoints go, besides those of `squads anchors`; each has to hold what is called anchored.
        clock: The source of time.
        entropy: The source of chance.
        slots: How many requests each role works on at once.

    Raises:
        InvalidSquad: With what is wrong and how to mend it; see its subclasses.
    """

    def __init__(
        self,
        *,
        builder: Any = None,
        builders: Sequence[Any] = (),
        gates: Sequence[Any] = (),
        coordinator: Any = None,
        store: str | Path | StoreUrl | None = None,
        keys: str | Path | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
        workspace_budget: WorkspaceBudget | None = None,
        approval: ApprovalRule | None = None,
        approver: Approver | Callable[..., Any] | Mapping[str, Callable[..., Any]] | None = None,
        people: Iterable[str] = ("owner",),
        memory: Memory | None = None,
        models: Model | Mapping[str, Any] | None = None,
        sandbox: Sandbox | None = None,
        independence: Independence = "prior",
        telemetry: Telemetry | None = None,
        bus: str | BusSettings | None = None,
        hosts: bool = True,
        anchors: Sequence[Anchor] = (),
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
        slots: int = 64,
    ) -> None:
        team = [*([builder] if builder is not None else []), *several(builders, "builders")]
        if coordinator is None and len(team) > 1:
            raise InvalidSquad(
                f"{len(team)} builders and no coordinator: nobody says who builds what; give coordinator=..."
            )
        self._models = thinking_with(
            models, [coordinator, *team, *several(gates, "gates")], sandboxed=sandbox is not None, here=hosts
        )
        self._owns_models = self._models is not models  # made here: who else could close them?
        self._sandbox = sandbox
        self._roles = resolve(
            coordinator if coordinator is not None else OneTask(), team, several(gates, "gates"), model=self._models
        )
        check_independence((record for _, record in self._roles.values()), independence)
        self._amends = coordinator is not None
        self._limits = limits or Limits()
        self._budget = budget or Budget()
        self._workspace_budget = workspace_budget
        self._approval = approval
        self._people = people_of(people)
        self._approver = approver_of(approver, self._people)
        self._memory = memory
        self._independence: Independence = independence
        self._telemetry = telemetry
        self._store = store
        self._keys = None if keys is None else Path(keys)
        self._anchors = tuple(anchors)
        self._clock = clock
        self._entropy = entropy
        self._slots = slots
        self._bus = bus_settings(bus)
        self._hosts = hosts
        if self._bus is None and not hosts:
            raise InvalidSquad("without a bus nobody elsewhere can serve a role; give `bus=`, or leave `hosts` out")
        self._workspace: Workspace | None = None
        self._session: Session | None = None
        self._held: list[AbstractAsyncContextManager[Session]] = []

    # Running ----------------------------------------------------------------------------------------------------------

    async def run(self, packet: str | Packet, *, subject: str | None = None) -> Outcome:
        """Run one packet and return how it stands: `Composed`, `NotComposed`, `AwaitingApproval` or `Halted`.

        A text is the packet's brief. A refusal is a value; what raises is what could not be found out. `subject` names
        whom it is about: content of all packets of that name is erased together, with `squads.erasing.erase`.
        """
        made = self._packet(packet)
        async with self._open_session() as session:
            happened = asyncio.Event()
            heard: Listener = lambda record: None if record else happened.set()  # noqa: E731
            lane = await self._begin(session, made, heard, subject)
            return lane if isinstance(lane, Halted) else await session.settled(lane, happened)

    def run_sync(self, packet: str | Packet, *, subject: str | None = None) -> Outcome:
        """Run one packet from code that is not asynchronous."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.run(packet, subject=subject))
        raise InvalidInput("run_sync() was called inside a running event loop; write `await squad.run(...)` there")

    async def stream(
        self,
        packet: str | Packet,
        *,
        subject: str | None = None,
        watch: Callable[[Progress], None] | None = None,
        unsafe_text_before_verdict: Callable[[UnsafeText], None] | None = None,
    ) -> AsyncIterator[PacketRecord | Outcome]:
        """Yield every receipt of the packet as it becomes durable, and at last its outcome.

        `watch` is told what roles with models are at meanwhile. Receipts and progress carry digests, names and numbers:
        no artifact's text leaves before the verdicts on it, unless somebody takes what models write while they write it
        with `unsafe_text_before_verdict`. Both are called on the event loop and must return at once.
        """
        made = self._packet(packet)
        async with self._open_session() as session:
            queue: asyncio.Queue[PacketRecord | None] = asyncio.Queue()
            lane = await self._begin(session, made, queue.put_nowait, subject, watch, unsafe_text_before_verdict)
            if isinstance(lane, Halted):
                yield lane
                return
            async with aclosing(session.follow(lane, queue)) as told:
                async for happened in told:
                    yield happened

    async def resume(self, packet: str, *, held: Callable[[str], None] | None = None) -> Outcome:
        """Take up an open packet from the ledger and return how it stands; an ended one returns how it ended.

        Nothing that was answered is asked again. While another process holds the packet, this one waits for what comes
        of it, and takes it up should that one die; `held` is told who it is then. Raises `UnknownPacket`.
        """
        async with self._open_session() as session:
            happened = asyncio.Event()
            lane = await session.resume(packet, lambda record: happened.set() if record is None else None)
            if held is not None and lane.held_by:
                held(said_of(lane.held_by))
            return await session.settled(lane, happened)

    async def serve(self, until: asyncio.Event | None = None) -> None:
        """Hold every open packet of the workspace that fits this squad and that nobody holds, until it has ended.

        Goes on until it is cancelled, or the event is set, and gives back what is open then. Takes over from processes
        that died. Packets that were opened with other roles are left alone.
        """
        async with self._open_session() as session:
            await Serving(session, {name: record for name, (_, record) in self._roles.items()}).until(until)

    async def _begin(
        self,
        session: Session,
        packet: Packet,
        listener: Listener,
        subject: str | None,
        watch: Callable[[Progress], None] | None = None,
        text: Callable[[UnsafeText], None] | None = None,
    ) -> Lane | Halted:
        """Open a packet, or say that a stop does not let it begin."""
        digest, blob = packet.seal(self._entropy(SALT_BYTES))
        recalled, told = recall_for(packet, self._roles, self._memory, self._entropy) if self._memory else ((), ())
        opened = self._opening(packet, digest, recalled)
        if (stop := session.workspace.view.stopped(opened.packet)) is not None:
            by = session.people.get(stop.author, stop.author)
            return Halted(packet=opened.packet, detail=f"stopped by {by}; nothing was opened")
        session.workspace.belongs(opened.packet, subject)
        session.watchers.add(opened.packet, watch, text)
        return await session.open(opened, (blob, *told), listener)

    # People -----------------------------------------------------------------------------------------------------------

    async def answer(
        self, packet: str, *, person: str, approve: bool, reason: str = "", channel: Channel = "program"
    ) -> Outcome:
        """Answer a packet's open question as `person`, and return how it stands then.

        An answer that does not count (too late, not asked, already answered) raises `InvalidInput` with why.
        """
        async with self._open_session() as session:
            author = self._person(session, person)
            lane = await session.runner.resume(packet)
            question = lane.state.question if lane.state else None
            if question is None or lane.state is None or lane.state.phase is not Phase.ASKING:
                raise InvalidInput(f"packet {packet} has no open question; resume it to see where it stands")
            content, digest = statement_of(reason, self._entropy)
            record = AnswerRecord(
                workspace=session.workspace.id,
                packet=packet,
                question=question.question,
                subject=question.subject,
                author=author,
                decision="approved" if approve else "denied",
                channel=channel,
                content=digest,
            )
            ignored = await session.runner.say(lane, record, f"human:{author}", content)
            if ignored:
                raise InvalidInput(f"the answer does not count: {ignored.reason}")
        return await self.resume(packet)

    async def waive(self, packet: str, *, artifact: str, gate: str, reason: str, person: str, expires_ms: int) -> None:
        """Sign a waiver that `gate` may cite once, for exactly the artifact of this digest, until a point in time.

        The person needs the scope `waiver`, granted by the root. Raises `InvalidInput` when it does not count.
        """
        async with self._open_session() as session:
            author = self._person(session, person)
            digest, content = Statement(text=reason).seal(self._entropy(SALT_BYTES))
            lane = await session.runner.resume(packet)
            record = WaiverRecord(
                workspace=session.workspace.id,
                packet=packet,
                subject=artifact,
                author=author,
                gate=gate,
                expires_ms=expires_ms,
                content=digest,
            )
            ignored = await session.runner.say(lane, record, f"human:{author}", (content,))
            if ignored:
                raise InvalidInput(f"the waiver does not count: {ignored.reason}")

    async def stop(self, reason: str, *, packet: str | None = None) -> bool:
        """Stop one packet, or with None everything in this workspace. False when it was stopped already."""
        async with self._open_session() as session:
            done = await session.workspace.stop(reason, packet=packet)
            await session.stopped()
            return done

    async def lift(self, reason: str, *, person: str, packet: str | None = None) -> bool:
        """Lift a stop as `person`; packets that wait in this process go on. Raises `Denied`."""
        async with self._open_session() as session:
            if session.workspace.person(person) not in session.workspace.view.people():
                raise Denied(f"{person!r} has no key in this workspace, and only a person lifts a stop")
            done = await session.workspace.lift(reason, person=person, packet=packet)
            await session.runner.lifted()
            return done

    def _person(self, session: Session, name: str) -> str:
        """Return the id under which the ledger knows a person."""
        person = session.workspace.person(name)
        if person not in session.workspace.view.people():
            raise InvalidInput(
                f"{name!r} has no key in this workspace; known here: {', '.join(self._people) or 'nobody'}"
            )
        return person

    # Opening and closing ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Squad:
        """Keep the squad's workers running until the block ends."""
        held = self._open_session()
        await held.__aenter__()
        self._held.append(held)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.pop().__aexit__(None, None, None)
        if not self._held:
            await self.close()

    async def close(self) -> None:
        """Let go of the ledger, and of models' connections that were not given. Open packets can be resumed."""
        if self._models is not None and self._owns_models:
            await self._models.close()
        if self._workspace is not None and self._store is not None:
            await self._workspace.close()
            self._workspace = None

    async def workspace(self) -> Workspace:
        """Return the squad's workspace, opened, with a key registered for every role and person."""
        if self._workspace is None:
            self._workspace = Workspace.at(
                self._store, keys=self._keys, clock=self._clock, entropy=self._entropy, anchors=self._anchors
            )
        workspace = self._workspace
        # Every time: somebody else may be at it right now, or an attempt before may have failed half-way.
        own_keys = self._bus is not None and self._bus.signing == "own" and not self._hosts
        await workspace.found(
            [  # where workers sign with keys of their own, nobody here can speak for their roles
                *(f"{record.kind}:{name}" for name, (_, record) in self._roles.items() if not own_keys),
                *(f"human:{workspace.person(name)}" for name in self._people),
            ]
        )
        workspace.introduce(self._people)
        return workspace

    @asynccontextmanager
    async def _open_session(self) -> AsyncIterator[Session]:
        """The bus, runner and worker of this event loop: started by the first caller, ended by the last one."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.loop is not loop:
            self._session = Session(loop, self._begin_session)
        session = self._session
        session.users += 1
        try:
            await asyncio.shield(session.ready)
            yield session
        finally:
            session.users -= 1
            if session.users == 0:
                if self._session is session:
                    self._session = None
                await session.close()

    async def _begin_session(self, session: Session) -> None:
        await session.start(
            await self.workspace(),
            {name: role for name, (role, _) in self._roles.items()} if self._hosts else {},
            self._people,
            records={name: record for name, (_, record) in self._roles.items()},
            approver=self._approver,
            slots=self._slots,
            model=self._models,
            sandbox=self._sandbox,
            telemetry=self._telemetry,
            settings=self._bus,
        )

    def _packet(self, packet: str | Packet) -> Packet:
        if isinstance(packet, str):
            packet = Packet(brief=packet, limits=self._limits)
        own = {"limits": self._limits, "budget": self._budget, "approval": self._approval}
        made = filled(packet, self._roles, self._people, own, amends=self._amends, shared=self._workspace_budget)
        if self._models is not None:
            check_budget(made, self._roles, self._models.price, self._workspace_budget)
        return made

    def _opening(self, packet: Packet, digest: str, memory: tuple[RecalledRecord, ...] = ()) -> Opened:
        assert self._workspace is not None
        records = tuple(record for _, record in self._roles.values())
        return opening_of(packet, digest, self._workspace, records, self._independence, memory, self._workspace_budget)
