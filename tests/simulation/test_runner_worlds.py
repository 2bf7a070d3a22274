"""Whole runs in hostile worlds: the real runner and worker, a bus that lies, crashes, two runners, a clock by hand.

Every world is made from a seed: what the roles say, what the bus does to each message, when somebody crashes, stops or
answers. The script is the truth: from it alone follows which ends are allowed. Nothing here waits for real time, so
a world runs the same way every time.

What is checked in every world:

- safety: nothing composes without an approval of exactly those bytes by every required gate, read off the receipts by
  code that shares nothing with the kernel; what composed is what the script's builder made and its gates let through
- liveness: every run ends, once the bus is fair again and the clock reaches the deadlines
- bounds: no task has more attempts than it may have
- one holder: under one token one runner asks, and honest gates are never found to contradict themselves
- the ledger replays, and its receipts are not doubled
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, Builder, Coordinator, Finding, Gate, Limits, Packet, Refused, Task
from squads.adapters.local_bus import LocalBus
from squads.adapters.memory_leases import MemoryLeases
from squads.contracts.base import SALT_BYTES
from squads.contracts.messages import RUNNER, Envelope, Failed, Signed
from squads.contracts.packet import AttemptKind, Budget, WorkspaceBudget
from squads.contracts.plan import Objection, Plan
from squads.contracts.records import RULES_VERSION, Opened, RoleRecord
from squads.contracts.work import BuildWork, PlanWork, ReviewWork
from squads.handover import Reader
from squads.kernel.bus_ports import DeadLetter, Delivery
from squads.kernel.replay import Replay
from squads.resolve import record_of_role
from squads.runner import Lane, Runner
from squads.signing import read_verified
from squads.testing import FixedClock, FixedSigner, seeded_entropy
from squads.worker import Worker
from squads.workspace import Workspace

WORLDS = 80
STEPS_MAX = 400
"""Rounds of a world after which it is taken not to end."""
LEASE_SECONDS = 2.0
"""On the world's own clock."""


@pytest.fixture(autouse=True)
def _nobody_looks_by_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds look and beat by hand: nothing in them happens because real time went by."""
    monkeypatch.setattr("squads.runner.LOOK_SECONDS", 1e9)


# The roles: what they say follows from the seed, the task and the attempt, never from when they are asked. ------------


class Script:
    """What every role of one world says, decided beforehand: asked twice, a role says the same thing."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        chance = random.Random(f"shape {seed}")
        self.tasks = chance.choice([1, 1, 2, 3])
        self.chained = chance.random() < 0.5
        self.trouble = chance.choice([0.0, 0.15, 0.35, 0.6])
        self.gates = chance.choice([1, 2, 2, 3])
        self.reads_composition = chance.random() < 0.3
        self.reads_plan = chance.random() < 0.2

    def draw(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed} {what}")

    def says(self, *what: object) -> str:
        """Return `good`, or one of the troubles."""
        chance = self.draw(*what)
        if chance.random() >= self.trouble:
            return "good"
        return chance.choice(["refuse", "refuse", "abstain", "raise", "garbage", "hang"])


class Maker(Builder):
    name = "maker"

    def __init__(self, script: Script) -> None:
        self.prior = f"maker {script.seed}"
        self.script = script

    async def build(self, work: BuildWork) -> Any:
        say = self.script.says("build", work.task, work.attempt)
        if say == "raise":
            raise RuntimeError("the maker's tool broke")
        if say == "garbage":
            return "not an artifact"
        if say == "hang":
            await asyncio.Event().wait()
        if say == "abstain" and self.script.draw("object", work.task, work.attempt, work.brief).random() < 0.5:
            return Objection(reasons=("unclear",), proposal="clearer")
        return work.artifact({f"{work.task}.txt": f"{work.task} {work.attempt} {work.brief}"})


class Judge(Gate):
    def __init__(self, name: str, script: Script, reads: AttemptKind) -> None:
        self.name = name
        self.prior = f"{name} {script.seed}"
        self.script = script
        self.reads = (reads,)

    def verdict_on(self, work: ReviewWork) -> str:
        if work.artifact is not None:
            text = "\n".join(f.text for f in work.artifact.files)
        else:
            assert work.plan is not None
            text = "\n".join(t.brief for t in work.plan.tasks) + f" {work.attempt}"
        return self.script.says("judge", self.name, text)

    async def review(self, work: ReviewWork) -> Any:
        say = self.verdict_on(work)
        if say == "refuse":
            return Refused(findings=(Finding(invariant="world.no", message="the script refuses this"),))
        if say == "abstain":
            return Abstained(reason="the script could not look")
        if say == "raise":
            raise RuntimeError("the judge's linter broke")
        if say == "garbage":
            return None
        if say == "hang":
            await asyncio.Event().wait()
        return Approved()


class Planner(Coordinator):
    name = "planner"

    def __init__(self, script: Script) -> None:
        self.prior = f"planner {script.seed}"
        self.script = script

    async def plan(self, work: PlanWork) -> Any:
        say = self.script.says("plan", work.attempt)
        if say == "raise":
            raise RuntimeError("the planner's model broke")
        if say == "garbage":
            return Plan(tasks=(Task(name="a", brief="x", builder="nobody"),))
        if say == "hang":
            await asyncio.Event().wait()
        if say == "abstain" and self.script.draw("object", work.attempt).random() < 0.2:
            return Objection(reasons=("contradiction",), proposal="another packet")
        names = [f"t{n}" for n in range(self.script.tasks)]
        return Plan(
            tasks=tuple(
                Task(
                    name=name,
                    brief=f"{name} of plan {work.attempt if say == 'refuse' else 1}",
                    builder="maker",
                    after=tuple(names[:n]) if self.script.chained else (),
                )
                for n, name in enumerate(names)
            )
        )


# The bus: real underneath, and unreliable while the world is hostile. -------------------------------------------------


class HostileBus:
    """Wraps a `LocalBus`: drops, doubles, delays and reorders what is sent, and slips in forgeries."""

    def __init__(self, inner: LocalBus, chance: random.Random, counts: Counter[str]) -> None:
        self.inner = inner
        self.chance = chance
        self.hostile = True
        self.counts = counts
        self.delayed: list[Envelope] = []
        self.seen: list[Envelope] = []
        self.awake = asyncio.Event()
        """Cleared while the process is frozen: nothing comes in and nothing goes out."""
        self.awake.set()
        self.asks: Callable[[Envelope], None] = lambda envelope: None
        """Told of every request that a runner sends."""

    can_lose = False

    def declare(self, address: str) -> None:
        self.inner.declare(address)

    async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
        await self.awake.wait()
        if envelope.sender == RUNNER:
            self.asks(envelope)
        if not self.hostile:
            return await self.inner.send(envelope)
        self.seen.append(envelope)
        roll = self.chance.random()
        if roll < 0.08:
            self.counts["dropped"] += 1
            return True
        if roll < 0.2:
            self.counts["delayed"] += 1
            self.delayed.append(envelope)
            return True
        if roll < 0.3:
            self.counts["doubled"] += 1
            twin = envelope.but(id=hashlib.sha256(f"twin {envelope.id}".encode()).hexdigest())
            if isinstance(envelope.body, Signed | Failed):  # a doubled request is worked twice; see the test below
                await self.inner.send(twin)
        if roll > 0.9:
            await self.forge(envelope)
        return await self.inner.send(envelope)

    async def forge(self, near: Envelope) -> None:
        """Send the runner something that looks like a reply."""
        replies = [e for e in self.seen if isinstance(e.body, Signed)]
        if not replies:
            return
        self.counts["forged"] += 1
        source = self.chance.choice(replies)
        body = source.body
        assert isinstance(body, Signed)
        stranger = FixedSigner("stranger")
        kind = self.chance.randrange(5)
        fake = {
            0: body.but(key=stranger.key_id, signature=stranger.sign(body.payload)),
            1: body.but(signature=bytes(64)),
            2: body.but(payload=body.payload.replace(b"refused", b"approved")),
            3: body.but(content=()),
            4: body,
        }[kind]
        if kind == 3 and source.packet == near.packet:
            return  # from the right key an unreadable reply is a fault: the role would be blamed for what the bus did
        await self.inner.send(
            Envelope(
                id=hashlib.sha256(f"forged {len(self.seen)} {source.id}".encode()).hexdigest(),
                sender=source.sender,
                recipient="runner",
                packet=near.packet,
                cause=source.cause,
                body=fake,
            )
        )

    async def shake(self) -> None:
        """Let some of the delayed messages through, in another order."""
        self.chance.shuffle(self.delayed)
        count = len(self.delayed) if not self.hostile else self.chance.randrange(len(self.delayed) + 1)
        through, self.delayed = self.delayed[:count], self.delayed[count:]
        for envelope in through:
            await self.inner.send(envelope)

    def consumer(self, address: str, *, slots: int = 1) -> Any:
        return ShakyConsumer(self.inner.consumer(address, slots=slots), self)

    async def dead(self) -> list[DeadLetter]:
        return await self.inner.dead()

    async def drain(self) -> None:
        await self.inner.drain()

    async def close(self) -> None:
        await self.inner.close()


class ShakyConsumer:
    """Gives a message back now and then, as a consumer does that dies."""

    def __init__(self, inner: Any, bus: HostileBus) -> None:
        self._inner = inner
        self._bus = bus

    async def receive(self) -> Delivery:
        while True:
            delivery: Delivery = await self._inner.receive()
            await self._bus.awake.wait()
            if self._bus.hostile and delivery.attempt == 1 and self._bus.chance.random() < 0.05:
                self._bus.counts["given back"] += 1
                await delivery.release("its consumer died")
                continue
            return ShakyDelivery(delivery, self._bus)

    async def close(self) -> None:
        await self._inner.close()


class ShakyDelivery:
    """Answers over the hostile bus, and says that it arrived, as a bus does that loses what it accepted."""

    def __init__(self, inner: Delivery, bus: HostileBus) -> None:
        self._inner = inner
        self._bus = bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def reply(self, answer: Envelope) -> bool:
        await self._bus.send(answer)
        await self._inner.ack()
        return True


# A process: bus, runner and worker over a ledger that outlives it. ----------------------------------------------------


class Process:
    def __init__(
        self,
        workspace: Workspace,
        roles: dict[str, Any],
        chance: random.Random,
        counts: Counter[str],
        asked: dict[tuple[str, int], set[str]],
        name: str,
    ) -> None:
        self.workspace = workspace
        self.bus = HostileBus(LocalBus(), chance, counts)
        reader = Reader(workspace.blobs)
        clock = workspace.clock
        self.runner = Runner(
            workspace,
            self.bus,
            reader=reader,
            name=name,
            lease_seconds=LEASE_SECONDS,
            monotonic=lambda: clock.now_ms() / 1_000,
        )
        self.runner.holding._beat = asyncio.Event().wait  # type: ignore[method-assign,assignment]

        def asks(envelope: Envelope) -> None:
            lease = self.runner._lanes[envelope.packet].lease
            assert lease is not None, "a runner asked a role for a packet that it does not hold"
            asked[envelope.packet, lease.token].add(name)

        self.bus.asks = asks
        self.worker = Worker(
            self.bus,
            reader,
            roles,
            {name: workspace.signer(f"{role.kind}:{name}") for name, role in roles.items()},
            clock=workspace.clock,
            entropy=workspace.entropy,
            permit=self.runner.permit,
            records={name: frozen(role) for name, role in roles.items()},
        )
        self.worker.start()
        self.runner.start()

    @property
    def frozen(self) -> bool:
        return not self.bus.awake.is_set()

    async def die(self, how: str = "in order") -> None:
        """Everything that is not in the ledger is gone. `killed`, it gives nothing back, and nobody knows for certain;
        `found dead`, everybody does."""
        self.bus.awake.set()
        holding, leases = self.runner.holding, self.workspace.ledger.leases
        if how != "in order":
            holding._begun = False
        if how == "found dead":
            assert isinstance(leases, MemoryLeases)
            leases._beats.pop(holding.name, None)
        await self.worker.close()
        await self.runner.close()
        await self.bus.close()


def second_workspace(first: Workspace) -> Workspace:
    """Return another process's view of the same ledger, with the same keys."""
    other = Workspace(
        first.ledger,
        first.trust,
        keys=None,
        signers={},
        clock=first.clock,
        entropy=first.entropy,
    )
    other.keyring = first.keyring
    return other


class World:
    """One world.

    With `rivals` a second runner resumes the packets of the first while that one is still at them: it follows. With
    `freezes` processes stand still for longer than their leases last, and go on as if nothing had happened; others are
    killed and give nothing back.
    """

    def __init__(self, seed: int, *, rivals: bool = False, freezes: bool = False) -> None:
        self.rivals = rivals
        self.freezes = freezes
        self.names = 0
        self.asked: dict[tuple[str, int], set[str]] = defaultdict(set)
        """Which runners asked roles, by packet and token."""
        self.seed = seed
        self.chance = random.Random(f"world {seed}")
        self.counts: Counter[str] = Counter()
        self.script = Script(seed)
        self.clock = FixedClock()
        self.entropy = seeded_entropy(seed)
        self.limits = Limits(attempts_max=3, objections_max=1, amendments_max=1, reply_ms_max=1_000)
        reads = [AttemptKind.ARTIFACT] * self.script.gates
        if self.script.reads_composition:
            reads.append(AttemptKind.COMPOSITION)
        if self.script.reads_plan:
            reads.append(AttemptKind.PLAN)
        self.judges = [Judge(f"gate{n}", self.script, kind) for n, kind in enumerate(reads)]
        self.roles = {r.name: r for r in (Planner(self.script), Maker(self.script), *self.judges)}
        self.two = self.chance.random() < 0.25 or rivals
        """Two runners on one ledger, each with packets of its own."""
        self.crashes = self.chance.choice([0, 0, 1, 2, 4])
        if rivals and not freezes:
            self.crashes = 0  # nobody dies: every packet stays with who opened it
        self.stops = self.chance.random() < 0.2
        self.packets = self.chance.choice([1, 1, 2, 3])
        self.shared = WorkspaceBudget(tokens_max=20) if seed % 3 == 0 else None
        """Room for two packets of ten tokens each at a time."""

    async def run(self) -> None:
        workspace = Workspace.memory(clock=self.clock, entropy=self.entropy)
        await workspace.found([*(f"{r.kind}:{n}" for n, r in self.roles.items()), f"human:{workspace.person('owner')}"])
        self.workspace = workspace
        others = [workspace]
        if self.two:
            others.append(second_workspace(workspace))
            await others[1].refresh()
        self.processes = [self.process(w) for w in others]
        homes: dict[str, int] = {}
        try:
            for n in range(self.packets):
                home = n % len(self.processes)
                homes[await self.open(self.processes[home])] = home
            await self.live(homes)
        finally:
            for process in self.processes:
                await process.die()

    def process(self, workspace: Workspace) -> Process:
        self.names += 1
        return Process(workspace, self.roles, self.chance, self.counts, self.asked, f"runner-{self.names}")

    async def open(self, process: Process) -> str:
        packet = Packet(brief=f"world {self.seed}", gates=tuple(j.name for j in self.judges), limits=self.limits)
        digest, blob = packet.seal(self.entropy(SALT_BYTES))
        opened = Opened(
            workspace=self.workspace.id,
            packet=self.entropy(16).hex(),
            nonce=self.entropy(32).hex(),
            rules=RULES_VERSION,
            content=digest,
            gates=packet.gates,
            roles=tuple(frozen(r) for r in self.roles.values()),
            limits=packet.limits,
            budget=Budget(tokens_max=10),
            workspace_budget=self.shared,
            approval=None,
            independence="prior",
            policy="0" * 64,
        )
        await process.runner.open(opened, (blob,))
        return opened.packet

    async def live(self, homes: dict[str, int]) -> None:
        stopped = False
        for step in range(STEPS_MAX):
            for _ in range(40):
                await asyncio.sleep(0)
            hostile = step < 25
            for process in self.processes:
                process.bus.hostile = hostile
                await process.bus.shake()
            if hostile and self.crashes and self.chance.random() < 0.15:
                await self.crash(homes)
            if hostile and self.stops and not stopped and self.chance.random() < 0.2:
                stopped = await self.workspace.stop("the world stops")
                self.counts["stopped"] += 1
                await self.processes[0].runner.stopped()
            elif stopped and (not hostile or self.chance.random() < 0.3):
                await self.workspace.lift("the world goes on", person="owner")
                stopped = False
                for process in self.processes:
                    await process.workspace.refresh()
                    if not process.frozen:
                        await process.runner.lifted()
            if hostile and self.rivals and self.chance.random() < 0.2:
                packet, home = self.chance.choice(sorted(homes.items()))
                if not self.processes[1 - home].frozen:
                    await self.processes[1 - home].runner.resume(packet)
                    self.counts["rivals"] += 1
            if self.freezes:
                for process in self.freeze(hostile):
                    await process.runner.lifted()  # it did not hear of it while it stood still
            if step % 4 == 3:
                self.clock.advance(self.chance.choice([10, 400, 1_000]) if hostile else 1_000)
                for process in self.processes:
                    if not process.frozen:
                        await process.runner.tick()
                        await process.runner.holding.beat()
                        await process.runner.look()
            if not stopped and await self.all_ended(homes):
                return
        raise AssertionError(f"world {self.seed} does not end: {await self.standing(homes)}")

    def freeze(self, hostile: bool) -> list[Process]:
        """Have processes stand still, or go on; return those that go on."""
        thawed = []
        for process in self.processes:
            if process.frozen and (not hostile or self.chance.random() < 0.08):
                process.bus.awake.set()
                thawed.append(process)
                self.counts["thawed"] += 1
            elif hostile and not process.frozen and self.chance.random() < 0.06:
                process.bus.awake.clear()
                self.counts["frozen"] += 1
        return thawed

    async def crash(self, homes: dict[str, int]) -> None:
        """One process dies and another takes up its packets from the ledger."""
        self.crashes -= 1
        self.counts["crashed"] += 1
        index = self.chance.randrange(len(self.processes))
        how = self.chance.choice(["killed", "found dead"]) if self.freezes else "in order"
        self.counts[how] += 1
        await self.processes[index].die(how)
        workspace = second_workspace(self.workspace)
        await workspace.refresh()
        self.processes[index] = self.process(workspace)
        for packet, home in homes.items():
            if home == index:
                await self.processes[index].runner.resume(packet)

    def lane(self, packet: str, home: int) -> Lane:
        return self.processes[home].runner._lanes[packet]

    async def all_ended(self, homes: dict[str, int]) -> bool:
        for packet, home in homes.items():
            lane = self.lane(packet, home)
            if lane.failure is not None:
                raise lane.failure
            if lane.state is None or not lane.state.ended:
                return False
        return True

    async def standing(self, homes: dict[str, int]) -> list[object]:
        lanes = [self.lane(packet, home) for packet, home in homes.items()]
        return [(lane.state.phase, lane.state.tasks, lane.parked) if lane.state else None for lane in lanes]


_RECORDS: dict[type, RoleRecord] = {}


def frozen(role: Any) -> RoleRecord:
    """Return a role's record. Reading a class's source takes longer than a run: it is read once per class."""
    if type(role) not in _RECORDS:
        _RECORDS[type(role)] = record_of_role(role)
    known = _RECORDS[type(role)]
    prior = hashlib.sha256(f"{role.prior} {known.prior}".encode()).hexdigest()
    return known.but(name=role.name, prior=prior, reads=getattr(role, "reads", ()))


# What is checked. -----------------------------------------------------------------------------------------------------


async def predicates(workspace: Workspace) -> list[tuple[str, dict[str, Any], tuple[bytes, ...], bytes]]:
    """Return (kind, predicate, keys, payload) of the whole ledger, in order, read as plain JSON."""
    found = []
    stored = [s for name in await workspace.ledger.streams() for s in await workspace.ledger.read(name)]
    for s in sorted(stored, key=lambda s: s.seq):
        statement = json.loads(s.payload)
        kind = statement["predicateType"].split(":")[2]
        found.append((kind, statement["predicate"], tuple(k for k, _ in s.signatures), s.payload))
    return found


def check_safety(receipts: list[Any], world: World) -> Counter[str]:
    """Independent of the kernel: whoever composes was approved, by the right keys, about exactly these bytes."""
    ends: Counter[str] = Counter()
    holders: dict[str, set[str]] = defaultdict(set)
    opened: dict[str, Any] = {}
    tickets: dict[str, Any] = {}
    approved: dict[tuple[str, str], set[str]] = defaultdict(set)
    compositions: dict[str, Any] = {}
    accepted: set[str] = set()
    ended: set[str] = set()
    for kind, predicate, keys, _ in receipts:
        packet = predicate.get("packet", "")
        if kind == "key-event":
            holders[predicate["roles"][0]].add(predicate["key"])
            continue
        if kind in ("log-open", "stop", "lift"):
            continue
        assert packet not in ended, f"a {kind} after the end"
        if kind == "opened":
            opened[packet] = predicate
        elif kind == "ticket":
            assert keys[0].hex() in holders["runner"]
            tickets[predicate["ticket"]] = predicate
        elif kind == "verdict":
            ticket = tickets[predicate["ticket"]]
            assert keys[0].hex() in holders[f"gate:{ticket['gate']}"]
            assert (predicate["subject"], predicate["attempt"]) == (ticket["subject"], ticket["attempt"])
            if predicate["decision"] == "approved":
                approved[packet, predicate["subject"]].add(ticket["gate"])
        elif kind == "composition":
            compositions[packet] = predicate
        elif kind == "acceptance":
            assert keys[0].hex() in holders["coordinator:planner"]
            accepted.add(predicate["subject"])
        elif kind == "finish":
            ended.add(packet)
            ends[predicate["reason"]] += 1
            if predicate["outcome"] != "composed":
                assert predicate["artifact"] is None
                continue
            composition = compositions[packet]
            assert predicate["artifact"] == composition["artifact"]
            assert predicate["artifact"] in accepted
            for judge in world.judges:
                subjects = {
                    AttemptKind.ARTIFACT: [p["artifact"] for p in composition["parts"]],
                    AttemptKind.COMPOSITION: [composition["artifact"]],
                    AttemptKind.PLAN: [],
                }[judge.reads[0]]
                for subject in subjects:
                    assert judge.name in approved[packet, subject], f"{judge.name} did not approve {subject[:12]}"
    assert ended == set(opened)
    return ends


async def check_truth(receipts: list[Any], world: World) -> None:
    """What composed is what the script made and let through: read the files and ask the script again."""
    for kind, predicate, _, _ in receipts:
        if kind != "finish" or predicate["outcome"] != "composed":
            continue
        artifact: Artifact = await Reader(world.workspace.blobs).artifact(predicate["artifact"])
        assert len(artifact.files) == world.script.tasks
        for file in artifact.files:
            task, attempt, _ = file.text.split(" ", 2)
            assert file.path == f"{task}.txt"
            assert world.script.says("build", task, int(attempt)) not in ("raise", "garbage", "hang")
            for judge in world.judges:
                if judge.reads[0] is AttemptKind.ARTIFACT:
                    assert world.script.says("judge", judge.name, file.text) == "good"
        for judge in world.judges:
            if judge.reads[0] is AttemptKind.COMPOSITION:
                whole = "\n".join(f.text for f in artifact.files)
                assert world.script.says("judge", judge.name, whole) == "good"


def check_bounds(receipts: list[Any], world: World) -> None:
    """No task has more attempts under one plan than it may have, and no receipt stands there twice."""
    payloads = [payload for _, _, _, payload in receipts]
    assert len(set(payloads)) == len(payloads)
    seen: Counter[tuple[str, int, int]] = Counter()
    tries: Counter[tuple[str, int]] = Counter()
    plans: Counter[str] = Counter()
    compositions: Counter[str] = Counter()
    for kind, predicate, _, _ in receipts:
        packet = predicate.get("packet", "")
        if kind == "plan":  # another cut: its tasks begin anew, those that it keeps at the most as well
            tries = Counter({key: count for key, count in tries.items() if key[0] != packet})
        elif kind == "composition":
            compositions[packet] += 1
        elif kind == "assignment" and predicate["work"] == "plan":
            plans[packet] += 1
        elif kind == "assignment" and predicate["work"] == "build":
            seen[packet, predicate["task"], predicate["attempt"]] += 1
            tries[packet, predicate["task"]] += 1
            # A task that is built again because another one was re-opened is not blamed for that.
            assert tries[packet, predicate["task"]] <= world.limits.attempts_max + compositions[packet]
    assert all(count == 1 for count in seen.values()), "an attempt's number was used twice"
    adopted = 1 + world.limits.objections_max + world.limits.amendments_max
    assert all(count <= world.limits.attempts_max * adopted for count in plans.values())
    assert all(count <= world.limits.compositions_max for count in compositions.values())


async def check_replay(workspace: Workspace) -> None:
    """The whole ledger replays: every output is the one that the rules give."""
    manifests: dict[str, Any] = {}
    reader = Reader(workspace.blobs)
    replay = Replay(manifests.get)
    stored = [s for name in await workspace.ledger.streams() for s in await workspace.ledger.read(name)]
    for s in sorted(stored, key=lambda s: s.seq):
        receipt = read_verified(s, replay.view)
        if receipt.kind == "artifact":
            digest = receipt.predicate["artifact"]
            manifests[digest] = await reader.manifest(digest)
        replay.feed(receipt)
    replay.close()
    assert replay.packets == {}
    for account, spend in replay.balances.items():
        assert spend == await workspace.ledger.balance(account)
        assert not any(spend[4:]), "every packet ended, and something is still reserved"


async def play(seed: int, *, rivals: bool = False, freezes: bool = False) -> tuple[Counter[str], Counter[str], str]:
    """Run one world and check it; return how its packets ended, what was done to it, and the ledger's root."""
    world = World(seed, rivals=rivals, freezes=freezes)
    await world.run()
    assert all(len(names) == 1 for names in world.asked.values()), "two runners asked under one token"
    hands = Counter(packet for packet, _ in world.asked)
    world.counts["changed hands"] = sum(count - 1 for count in hands.values())
    receipts = await predicates(world.workspace)
    ends = check_safety(receipts, world)
    await check_truth(receipts, world)
    check_bounds(receipts, world)
    await check_replay(world.workspace)
    return ends, world.counts, (await world.workspace.ledger.head()).root.hex()


BATCH = 40
BATCHES = [range(start, start + BATCH) for start in range(0, WORLDS, BATCH)]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda r: f"{r.start}-{r.stop - 1}")
def test_no_world_makes_anything_bad_compose(seeds: range) -> None:
    """Safety, truth, bounds, replay and an end, in every world of the batch; and the worlds are as hostile as meant."""
    ends: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for seed in seeds:
        try:
            how, done, _ = asyncio.run(play(seed))
        except Exception as error:
            raise AssertionError(f"world {seed}: {type(error).__name__}: {error}") from error
        ends += how
        counts += done
    assert ends["composed"] >= BATCH // 8
    assert sum(ends.values()) - ends["composed"] >= BATCH // 8
    assert "equivocation" not in ends  # honest gates, whatever the bus does
    for what in ("dropped", "delayed", "doubled", "forged", "crashed", "stopped", "given back"):
        assert counts[what] > 0, f"no message or process was ever {what}"


def test_rivals_at_one_packet_never_ask_twice() -> None:
    """Whoever resumes what another runner holds follows it: every role is asked by one of them alone, and what it
    says is one answer."""
    ends: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for seed in range(1_000, 1_030):
        try:
            how, done, _ = asyncio.run(play(seed, rivals=True))
        except Exception as error:
            raise AssertionError(f"world {seed}: {type(error).__name__}: {error}") from error
        ends += how
        counts += done
    assert ends["composed"] > 0
    assert "equivocation" not in ends
    assert counts["rivals"] > 30
    assert counts["changed hands"] == 0


def test_a_holder_that_stood_still_or_died_is_followed_by_one_other() -> None:
    """Packets change hands, some come back to the process that lost them; nobody who lost one writes to it, and no
    honest gate is taken for one that contradicts itself."""
    ends: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for seed in range(2_000, 2_030):
        try:
            how, done, _ = asyncio.run(play(seed, rivals=True, freezes=True))
        except Exception as error:
            raise AssertionError(f"world {seed}: {type(error).__name__}: {error}") from error
        ends += how
        counts += done
    assert ends["composed"] > 0
    assert "equivocation" not in ends
    for what in ("frozen", "thawed", "killed", "found dead", "changed hands", "rivals"):
        assert counts[what] > 5, f"too little: {what}"


def test_a_world_is_the_same_every_time() -> None:
    """One seed, one ledger: the same root."""
    for seed in (3, 14, 15):
        assert asyncio.run(play(seed)) == asyncio.run(play(seed))
