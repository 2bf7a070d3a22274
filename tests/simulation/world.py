"""One seeded world: a squad, its people, a hostile scheduler and a ledger in a list.

Everything follows from the seed. Roles may approve, refuse, abstain, object, talk nonsense or say nothing; messages are
reordered, doubled, lost, late, stale and forged; runners crash between any two steps and race each other. In the end
losses stop and deadlines fire, and then the packet has to end.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from random import Random
from time import perf_counter
from types import SimpleNamespace
from typing import Any, NamedTuple

from cast import NAMES, OTHER_WORKSPACE, PROGRAM, ROLES, ROOT, RUNNER, START, STRANGER, WORKSPACE_ID, base_view, key
from kernels import Carried

from squads.contracts.artifact import FileEntry, Manifest
from squads.contracts.finding import FindingCounts, Usage
from squads.contracts.packet import Allowance, ApprovalRule, AttemptKind, Budget, Limits, RoleAllowance, WorkspaceBudget
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
    ArtifactRecord,
    CompositionRecord,
    DeadlineRecord,
    FaultRecord,
    GrantRecord,
    HeldRecord,
    LiftRecord,
    ModelRecord,
    ObjectionRecord,
    Opened,
    PlanRecord,
    RoleRecord,
    StopRecord,
    TaskRecord,
    VerdictRecord,
    WaiverRecord,
)

DAY = 86_400_000
TURNS_MAX = 4_000
"""A world that has not ended after so many turns never will."""
PLAN, ARTIFACT, COMPOSITION = AttemptKind.PLAN, AttemptKind.ARTIFACT, AttemptKind.COMPOSITION
NO_FINDING, ONE_FINDING = FindingCounts(), FindingCounts(major=1)


class Entry(NamedTuple):
    """One receipt of the ledger."""

    seq: int
    stream: str
    kind: str
    record: Any
    """The record; a plain dictionary for a key event."""
    key: str
    digest: str
    time_ms: int


class Message(NamedTuple):
    """A signed record on its way to the runner."""

    record: Any
    key: str
    digest: str
    manifest: Manifest | None = None


class Stuck(AssertionError):
    """A fair world that does not end."""


@lru_cache(maxsize=4096)
def file_entry(path: str, number: int, size_bytes: int) -> FileEntry:
    """Return a manifest's line; equal arguments give equal bytes."""
    return FileEntry(path=path, media_type="text/plain", digest=f"{number:064x}", size_bytes=size_bytes)


@lru_cache(maxsize=4096)
def usage(tokens: int) -> Usage:
    """Return what a reply cost."""
    return Usage(tokens=tokens, cost_microusd=tokens * 2, calls=1 if tokens else 0, wait_ms=tokens * 3)


def allowance(rng: Random, least: int) -> dict[str, int | None]:
    """Return limits of which each leaves room for a few answers, or is none; rarely one leaves none."""
    chosen = [rng.choice((None, None, least * 3 // 2, least * 6, least * 20)) for _ in range(3)]
    limits = [None if c is None else c * (n + 1) for n, c in enumerate(chosen)]
    if rng.random() < 0.03:
        limits[rng.randrange(3)] = 0
    return dict(zip(("tokens_max", "cost_microusd_max", "wait_ms_max"), limits, strict=True))


@lru_cache(maxsize=4096)
def limits(**bounds: int) -> Limits:
    """Return bounds, each set made once."""
    return Limits(**bounds)


@lru_cache(maxsize=4096)
def role(name: str, kind: str, prior: int, reads: tuple[AttemptKind, ...], model: str | None, cost: int) -> RoleRecord:
    """Return a resolved role; `m1+q1` is a model with a fallback, and the first letter of a name is its family.

    Gates and makers reach one model by two routes.
    """
    models = tuple(
        ModelRecord(called=f"{kind}-route:{name}", name=name, family=name[0])
        for name in (model or "").split("+")
        if name
    )
    return RoleRecord(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        prior=f"{prior:064x}",
        reads=reads,
        models=models,
        call_tokens_max=cost,
        call_microusd_max=cost * 2,
        call_ms_max=cost * 3,
        unsafe=name == "g4" and prior % 7 == 0,
    )


class Runner:
    """What one runner process holds of the packet: it may be behind."""

    __slots__ = ("length", "state", "view", "workspace_length")

    def __init__(self, view: Any) -> None:
        self.state: Any = None
        self.length = 0
        self.workspace_length = 0
        self.view = view


class World:
    """Runs one seed to its end. `entries` and `manifests` are all that a checker may read."""

    def __init__(self, seed: int, kernel: SimpleNamespace, *, trace: bool = False) -> None:
        self.seed = seed
        self.kernel = kernel
        self.rng = rng = Random(seed)
        self.packet = f"{seed:032x}"
        self.nonce = f"{seed + 7:064x}"
        self.entries: list[Entry] = []
        self.manifests: dict[str, Manifest] = {}
        self.length = 0
        self.workspace_length = 0
        self.ignored: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.step_seconds = 0.0
        self.steps = 0
        self.turns = 0
        self.trace: list[str] | None = [] if trace else None
        self.now = 1_000_000
        self.queue: list[Any] = []
        self.journal: dict[str, Message | None] = {}
        self.plans: dict[str, PlanRecord] = {}
        self.last_plan: PlanRecord | None = None
        self.history: list[Message] = []
        self.answered_people: set[tuple[str, str]] = set()
        self._counter = seed << 20
        self.view = base_view(kernel)
        self.shadow = self.new_shadow()
        self.tails: dict[str, int] = {}
        self._cast(rng)

    # --- who and what this world is -------------------------------------------------------------------------------

    def _cast(self, rng: Random) -> None:
        odd = rng.random() < 0.06  # a squad that must not begin
        self.mood = rng.choices(("kind", "mixed", "hostile"), (5, 4, 2))[0]
        p = {"kind": 0.03, "mixed": 0.16, "hostile": 0.3}[self.mood]
        self.p_refuse = rng.random() * p * 2.5
        self.p_abstain = rng.random() * p
        self.p_silent = rng.random() * p * 0.6
        self.p_object = rng.random() * p * 0.7
        self.p_bad = rng.random() * p
        self.p_reopen = rng.random() * p * 2.5
        self.p_meet = rng.choice((0, 0, 0, 0.1, 0.5))
        self.p_blind = rng.choice((0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.9))
        self.hostile = rng.random() < 0.6
        self.losses = rng.choice((0, 0, 3, 12)) if self.hostile else 0
        self.p_side = 0.14 if self.hostile else 0.0
        self.side_events = rng.choice((2, 4, 8)) if self.hostile else 0
        self.p_crash = rng.choice((0.0, 0.05, 0.25)) if self.hostile else 0.0
        self.stops_left = rng.choice((0, 0, 0, 1, 2)) if self.hostile else 0
        self.stays_stopped = rng.random() < 0.05
        self.cost = rng.choice((0, 0, 0, 10))
        self.budgeted = bool(self.cost) and rng.random() < 0.7
        self.runners = [Runner(self.view) for _ in range(2 if self.hostile and rng.random() < 0.25 else 1)]

        shared = rng.choice((None, "m1"))
        builders = [
            role(f"b{n}", "builder", 100 + n, (), rng.choice((shared, "m2", "q1", "q1+m1")), self.cost)
            for n in range(1, rng.choice((1, 1, 2, 3)) + 1)
        ]
        coordinator = role("coord", "coordinator", 200, (), rng.choice((shared, "m1", "q1")), self.cost)
        choices = ((ARTIFACT,), (ARTIFACT,), (ARTIFACT,), (ARTIFACT, COMPOSITION), (COMPOSITION,), (PLAN,))
        choices += ((PLAN, ARTIFACT, COMPOSITION),)
        gates = []
        for n in range(1, rng.choice((1, 1, 2, 2, 3, 4)) + 1):
            prior = 300 + n
            if rng.random() < 0.015:
                prior = rng.choice((101, 200))
            elif n == 4 and rng.random() < 0.5:
                prior = 350  # divisible by seven: `UnsafeNoGate`
            gates.append(
                role(f"g{n}", "gate", prior, rng.choice(choices), rng.choice((None, "m1", "q1", "q1+m2")), self.cost)
            )
        roles = [coordinator, *builders, *gates]
        required = [g.name for g in gates if rng.random() < 0.85] or [gates[0].name]
        if rng.random() < 0.9 and all(g.reads == (PLAN,) for g in gates if g.name in required):
            gates[0] = gates[0].model_copy(update={"reads": (ARTIFACT,)})
            roles[-len(gates)] = gates[0]
            required = list(dict.fromkeys(("g1", *required)))
        rules, strangers = 1, False
        if odd:
            fault = rng.randrange(10)
            if fault == 0:
                required = []
            elif fault == 1:
                required.append("g9")
            elif fault == 2:
                required.append("b1")
            elif fault == 3:
                roles.append(role("g9", "gate", 309, (ARTIFACT,), None, 0))
            elif fault == 4:
                roles = [r for r in roles if r.kind != "coordinator"]
            elif fault == 5:
                roles = [r for r in roles if r.kind != "builder"]
            elif fault == 6:
                roles.append(role("b1", "gate", 310, (ARTIFACT,), None, 0))
            elif fault == 7:
                rules = 2
            elif fault == 8:
                roles.append(role("b9", "builder", 109, (), None, 0))
            else:
                strangers = True
        self.gate_names = [g.name for g in gates]
        self.artifact_gates = [g.name for g in gates if ARTIFACT in g.reads]
        self.builder_names = [b.name for b in builders]
        self.limits = limits(
            brief_chars_max=rng.choice((5, 100)),
            tasks_max=rng.choice((1, 2, 3, 4, 5)),
            attempts_max=rng.choice((1, 2, 2, 3)),
            objections_max=rng.choice((0, 1, 2)),
            amendments_max=rng.choice((0, 1, 1, 2)),
            compositions_max=rng.choice((1, 2, 3)),
            messages_max=rng.choice((100, 100, 100, 100, 100, 100, 100, 12, 6)),
            files_max=rng.choice((2, 4)),
            artifact_bytes_max=100,
            reply_ms_max=1_000,
            packet_ms_max=rng.choice((DAY, DAY, DAY, 2_500)),
        )
        approval = None
        if strangers or rng.random() < 0.35:
            approvers = rng.sample(("h1", "h2", "h3"), rng.choice((1, 2, 3)))
            if strangers:
                approvers = ["h9", approvers[0]]
            approval = ApprovalRule(
                approvers=tuple(approvers),
                quorum=len(approvers) if strangers else rng.randint(1, len(approvers)),
                wait_ms_max=rng.choice((300, 5_000)),
                person_required=rng.random() < 0.3,
            )
        self.approval = approval
        self.predicates = tuple(rng.sample(("done", "safe"), rng.choice((0, 0, 1, 2))))
        budget, shared = Budget(), None
        if self.budgeted:
            budget = Budget(
                **allowance(rng, self.cost * (1 if rng.random() < 0.6 else 6)),
                task=Allowance(**allowance(rng, self.cost)) if rng.random() < 0.75 else None,
                roles=tuple(
                    RoleAllowance(role=name, **allowance(rng, self.cost))
                    for name in sorted({r.name for r in roles})
                    if rng.random() < 0.35
                ),
            )
            if rng.random() < 0.6:
                shared = WorkspaceBudget(tokens_max=10_000, window=rng.choice(("ever", "day", "month")))
        self.opened = Opened(
            workspace=WORKSPACE_ID,
            packet=self.packet,
            nonce=self.nonce,
            rules=rules,
            content=self.digest(),
            gates=tuple(required),
            roles=tuple(roles),
            limits=self.limits,
            budget=budget,
            approval=approval,
            independence=rng.choices(("identity", "prior", "model", "family"), (16, 3, 1, 0.5))[0],
            policy="0" * 64,
            predicates=self.predicates,
            workspace_budget=shared,
            funded=shared is None or rng.random() < 0.7,
        )
        self.waivers = rng.random() < 0.25
        self.base = self.digest() if rng.random() < 0.15 else None

    def digest(self) -> str:
        """Return a digest that nothing else in this world has."""
        self._counter += 1
        return f"{self._counter:064x}"

    def note(self, text: str) -> None:
        """Write a line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.now:>9} {text}")

    # --- the ledger and the runners -------------------------------------------------------------------------------

    def new_shadow(self) -> Any:
        """Return a replay that has read everything before this world began."""
        replay = self.kernel.Replay(self.manifests.get, keep={self.packet})
        replay.view = self.view
        return replay

    def receipt(self, entry: Entry) -> Any:
        """Return an entry as a replay reads it."""
        predicate = entry.record if entry.kind == "key-event" else Carried(entry.record)
        return self.kernel.Receipt(
            entry.seq, entry.kind, predicate, (bytes.fromhex(entry.key),), entry.digest, entry.time_ms
        )

    def append(self, rows: list[tuple[str, str, Any, str, str]], expect: tuple[int | None, int]) -> bool:
        """Append all rows (stream, kind, record, key, digest), or none when somebody was first."""
        length, workspace_length = expect
        if (length is not None and length != self.length) or workspace_length != self.workspace_length:
            return False
        for stream, kind, record, who, digest in rows:
            entry = Entry(START + len(self.entries), stream, kind, record, who, digest, self.now)
            self.entries.append(entry)
            if stream == "workspace":
                self.workspace_length += 1
            else:
                self.length += 1
            if self.trace is not None:
                self.note(f"  [{entry.seq}] {kind} by {NAMES.get(who, '?')}: {_short(record)}")
            self.shadow.feed(self.receipt(entry))
        return True

    def refold(self, runner: Runner) -> None:
        """Read everything back, as after a crash or a conflict."""
        runner.state = self.shadow.packets.get(self.packet)
        runner.view = self.shadow.view
        runner.length, runner.workspace_length = self.length, self.workspace_length

    def hand_in(self, message: Message) -> str | None:
        """Let a runner step one message; return the reason when it was ignored."""
        runner = self.runners[0] if len(self.runners) == 1 else self.rng.choice(self.runners)
        kernel = self.kernel
        while True:
            event = kernel.Attested(
                message.record,
                message.key,
                runner.view.roles_of(message.key),
                message.digest,
                self.now,
                message.manifest,
            )
            start = perf_counter()
            state, effects = kernel.step(runner.view, runner.state, event)
            self.step_seconds += perf_counter() - start
            self.steps += 1
            if isinstance(effects[0], kernel.Ignore) if effects else False:
                assert len(effects) == 1, "an ignored event has no other effect"
                assert state is runner.state, "an ignored event changed the state"
                self.ignored[effects[0].reason] += 1
                self._refusals_are_heard(runner, message, effects[0].reason)
                if self.trace is not None:
                    self.note(f"ignored {message.record.kind} ({effects[0].reason}): {_short(message.record)}")
                return effects[0].reason
            rows = [(self.packet, message.record.kind, message.record, message.key, message.digest)]
            rows += [(self.packet, o.kind, o, RUNNER, self.digest()) for o in kernel.outputs(effects)]
            if message.manifest is not None:
                self.manifests.setdefault(message.record.artifact, message.manifest)
            for output in rows[1:]:
                if isinstance(output[2], CompositionRecord):
                    self.manifests[output[2].artifact] = state.manifests[output[2].artifact]
            if self.append(rows, (runner.length, runner.workspace_length)):
                break
            self.seen["conflict"] += 1
            self.refold(runner)
        runner.state = state
        runner.length += len(rows)
        if self.rng.random() < self.p_crash:
            self.seen["crash"] += 1
            self.note("crash before anything was sent")
            self.refold(runner)
            return None
        for effect in effects:
            if isinstance(effect, (kernel.Send, kernel.Ask)):
                self.queue.append(effect)
        return None

    def _refusals_are_heard(self, runner: Runner, message: Message, reason: str) -> None:
        """Refusals above all: a denial or refusal that was asked for, by whoever was asked, is never ignored."""
        record, state = message.record, self.state
        if runner.length != self.length or runner.workspace_length != self.workspace_length or state is None:
            return  # a runner that is behind may not know yet
        if state.ended or runner.view.stopped(self.packet) or record.packet != self.packet:
            return
        roles = ROLES.get(message.key, frozenset()) & runner.view.roles_of(message.key)
        if record.workspace != WORKSPACE_ID or len(roles) != 1 or reason in ("not authorised", "packet expired"):
            return
        if record.kind == "answer" and record.decision == "denied" and f"human:{record.author}" in roles:
            question = state.question
            if (
                question
                and (record.question, record.subject) == (question.question, question.subject)
                and record.author in question.approvers
                and self.now < question.expires_ms
            ):
                raise AssertionError(f"a denial was not heard: {reason}")
        if record.kind == "verdict" and record.decision == "refused" and f"gate:{record.author}" in roles:
            ticket = state.tickets.get(record.ticket)
            if ticket and not ticket.decision and ticket.record.gate == record.author:
                asked = (ticket.record.subject, ticket.record.attempt, ticket.record.independence, ticket.request.saw)
                known = {None, *(m.called for m in state.roles[record.author].models)}
                if record.model in known and asked == (record.subject, record.attempt, record.independence, record.saw):
                    raise AssertionError(f"a refusal was not heard: {reason}")

    def say_workspace(self, record: Any, who: str) -> bool:
        """Append a receipt to the workspace's stream, as its writer does: admitted first."""
        view = self.shadow.view
        views = self.kernel.views
        if isinstance(record, dict):
            rows = [("workspace", "key-event", record, who, self.digest())]
        else:
            after = views.admit(view, record, key=who, time_ms=self.now)
            if isinstance(after, self.kernel.Ignore):
                self.ignored[f"workspace: {after.reason}"] += 1
                return False
            rows = [("workspace", record.kind, record, who, self.digest())]
        self.append(rows, (None, self.workspace_length))
        # A runner may or may not have read it yet; the compare on the workspace's stream makes that safe.
        for runner in self.runners:
            if self.rng.random() < 0.5:
                self.refold(runner)
        return True

    # --- the run --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Any:
        """What the ledger says."""
        return self.shadow.packets.get(self.packet)

    def run(self) -> World:
        """Run until the packet ends, or is left stopped on purpose."""
        rng = self.rng
        if self.waivers:
            expires = rng.choice((None, None, self.now + 800))
            for person in ("h1", "h2"):
                grant = GrantRecord(
                    workspace=WORKSPACE_ID, subject=f"human:{person}", scope="waiver", expires_ms=expires
                )
                self.say_workspace(grant, ROOT)
            for runner in self.runners:
                self.refold(runner)
        opening = Message(self.opened, rng.choice((PROGRAM, PROGRAM, key("h1"))), self.digest())
        if self.hostile and rng.random() < 0.1:
            self.hand_in(Message(self.opened, key("b1"), self.digest()))
        if self.hostile and rng.random() < 0.1:
            self.hand_in(
                Message(
                    FaultRecord(workspace=WORKSPACE_ID, packet=self.packet, about="0" * 64, reason="crashed"),
                    RUNNER,
                    self.digest(),
                )
            )
        self.hand_in(opening)
        self.history.append(opening)
        while True:
            state = self.state
            if state is not None and state.ended:
                break
            self.turns += 1
            if self.turns > TURNS_MAX:
                raise Stuck(f"the packet has not ended after {TURNS_MAX} turns")
            if self.queue:
                self._take()
            elif not self._idle():
                break
        if self.hostile:
            for message in rng.sample(self.history, min(2, len(self.history))):
                self.hand_in(message)
        self.shadow.close()
        return self

    def _take(self) -> None:
        rng = self.rng
        queue = self.queue
        index = rng.randrange(len(queue)) if self.hostile else 0
        queue[index], queue[-1] = queue[-1], queue[index]
        item = queue.pop() if self.hostile else queue.pop(-1)
        self.now += rng.choice((0, 0, 1, 7))
        if self.losses and rng.random() < 0.15:
            self.losses -= 1
            self.seen["loss"] += 1
            return
        if self.hostile and rng.random() < 0.06:
            queue.append(item)
            self.seen["duplicate"] += 1
        if isinstance(item, Message):
            self.history.append(item)
            if self.hand_in(item) == "stopped" and rng.random() < 0.5:
                self.history.append(item)
        elif isinstance(item, self.kernel.Send):
            self._role(item)
        else:
            self._people(item.question)
        if self.side_events and rng.random() < self.p_side:
            self.side_events -= 1
            self._side_event()

    def _idle(self) -> bool:
        """Nothing is on its way: lift, send again, or let time pass until the next deadline. False: left stopped."""
        for runner in self.runners:
            self.refold(runner)
        state, view = self.state, self.shadow.view
        if state is None:  # the opening itself met a stop
            self._lift()
            self.hand_in(self.history[0])
            return True
        if view.stopped(self.packet):
            if self.stays_stopped:
                self.seen["left stopped"] += 1
                return False
            self._lift()
            return True
        out = self.kernel.pending(state)
        self._nothing_is_lost(state, out)
        arms = []
        for item in out:
            if isinstance(item, self.kernel.Send):
                if self.journal.get(item.about, item) is not None:
                    self.queue.append(item)
            elif isinstance(item, self.kernel.Ask):
                if any((item.question.question, p) not in self.answered_people for p in item.question.approvers):
                    self.queue.append(item)
            else:
                arms.append(item)
        self.tails[state.phase] = self.tails.get(state.phase, 0) + 1
        if self.queue and self.tails[state.phase] < 6:
            return True
        # A reply that the kernel ignores leaves its request open: its deadline ends the wait.
        first = min(arms, key=lambda a: a.at_ms)
        self.now = max(self.now, first.at_ms)
        self.queue.append(
            Message(
                DeadlineRecord(workspace=WORKSPACE_ID, packet=self.packet, about=first.about), RUNNER, self.digest()
            )
        )
        return True

    def _nothing_is_lost(self, state: Any, out: list[Any]) -> None:
        """Whatever is open is sent again after a crash, with its deadline."""
        sent = {item.about for item in out if isinstance(item, self.kernel.Send)}
        armed = {item.about for item in out if isinstance(item, self.kernel.Arm)}
        open_now = {t for t, ticket in state.tickets.items() if not ticket.decision}
        open_now |= {j for j, job in state.jobs.items() if not job.receipt}
        if sent != open_now or not open_now <= armed:
            raise Stuck("something that was asked for would not be sent again")

    def _lift(self) -> None:
        view = self.shadow.view
        for scope in list(view.stops):
            packet = scope or None
            for person, who in (("h1", key("h1")), ("h1", key("h1 again")), ("h2", key("h2")), ("h3", key("h3"))):
                lift = LiftRecord(workspace=WORKSPACE_ID, packet=packet, author=person, content=self.digest())
                if self.say_workspace(lift, who):
                    self.seen["lift"] += 1
                    break

    # --- roles ----------------------------------------------------------------------------------------------------

    def _role(self, send: Any) -> None:
        rng = self.rng
        about, body = send.about, send.body
        if about in self.journal:
            message = self.journal[about]
            if message is None:
                return
            self.queue.append(message)
            return
        if rng.random() < self.p_silent:
            if rng.random() < 0.6:
                self.journal[about] = None
                self.seen["silent"] += 1
                return
            fault = FaultRecord(
                workspace=WORKSPACE_ID,
                packet=self.packet,
                about=about,
                reason=rng.choice(("crashed", "unreadable", "missing", "undeliverable", "unreachable", "spent")),
                usage=self._usage() if rng.random() < 0.5 else None,
            )
            message = Message(fault, RUNNER, self.digest())
        else:
            record, manifest = getattr(self, f"_{body.kind}")(send.recipient, body)
            digest = self.digest()
            message = Message(record, self._own_key(send.recipient), digest, manifest)
            if self.hostile and rng.random() < 0.012:
                other, other_manifest = getattr(self, f"_{body.kind}")(send.recipient, body)
                self.queue.append(Message(other, message.key, self.digest(), other_manifest))
                self.seen["second answer"] += 1
        self.journal[about] = message
        self.queue.append(message)
        if self.hostile and rng.random() < 0.10:
            self.queue.append(self._forge(message, body))

    def _own_key(self, name: str) -> str:
        if name in ("b1", "g1") and self.rng.random() < 0.15:
            return key(f"{name} again")
        if self.hostile and name in ("b1", "g1") and self.rng.random() < 0.05:
            return key("b1 and g1")
        if self.hostile and name in ("b2", "g2") and self.rng.random() < 0.1:
            return key("b2 and g2")
        return key(name)

    def _usage(self) -> Usage:
        if not self.cost or self.rng.random() < 0.3:
            return usage(0)
        tokens = self.cost + 30 if self.rng.random() < 0.04 else self.rng.randint(0, self.cost)
        return usage(tokens)

    def _common(self, author: str) -> dict[str, Any]:
        common = {"workspace": WORKSPACE_ID, "packet": self.packet, "author": author, "usage": self._usage()}
        models = next((r.models for r in self.opened.roles if r.name == author), ())
        if models and self.rng.random() > self.p_bad * 0.2:
            common["model"] = self.rng.choice(models).called
        return common

    def _objection(self, author: str, body: Any) -> Any:
        return ObjectionRecord(**self._common(author), request=body.request, content=self.digest())

    def _plan(self, author: str, body: Any) -> tuple[Any, None]:
        rng = self.rng
        if rng.random() < self.p_object * 0.4:
            return self._objection(author, body), None
        tasks = (
            self._amended(body) if body.previous else self._tasks(body.next_task, rng.choice((1, 1, 1, 2, 2, 3, 4)), ())
        )
        if rng.random() < self.p_bad:
            tasks = self._spoil(tasks)
        content = self.digest()
        if self.last_plan and any(g.cause == "plan-refused" for g in body.grievances) and rng.random() < 0.4:
            content, tasks = self.last_plan.content, list(self.last_plan.tasks)  # the very same plan once more
        record = PlanRecord(**self._common(author), request=body.request, content=content, tasks=tuple(tasks))
        self.last_plan = record
        self.plans[record.content] = record
        return record, None

    def _tasks(self, first: int, count: int, before: tuple[int, ...]) -> list[TaskRecord]:
        rng = self.rng
        made: list[TaskRecord] = []
        for number in range(first, first + min(count, self.limits.tasks_max)):
            earlier = [*before, *(t.task for t in made)]
            made.append(
                TaskRecord(
                    task=number,
                    builder=rng.choice(self.builder_names),
                    after=tuple(sorted(n for n in earlier if rng.random() < 0.4)),
                    gates=tuple(g for g in self.artifact_gates if rng.random() < 0.08),
                    brief=self.digest(),
                    brief_chars=rng.choice((1, self.limits.brief_chars_max)),
                )
            )
        return made

    def _amended(self, body: Any) -> list[TaskRecord]:
        rng = self.rng
        tasks = list(self.plans[body.previous].tasks)
        numbers = tuple(t.task for t in tasks)
        if any(g.cause == "paths-meet" for g in body.grievances) and rng.random() < 0.8:
            merge = TaskRecord(
                task=body.next_task, builder=self.builder_names[0], after=numbers, brief=self.digest(), brief_chars=1
            )
            return [*tasks, merge]
        about = {g.task for g in body.grievances}
        dice = rng.random()
        if dice < 0.12:
            return tasks
        if dice < 0.2 and len(tasks) > 1:
            gone = rng.choice(numbers)
            tasks = [t for t in tasks if t.task != gone]
            return [t.model_copy(update={"after": tuple(a for a in t.after if a != gone)}) for t in tasks]
        if dice < 0.3:
            return [*tasks, *self._tasks(body.next_task, 1, numbers)]
        if dice < 0.55:
            about |= {min(numbers), rng.choice(numbers)}
        return [t.model_copy(update={"brief": self.digest()}) if t.task in about else t for t in tasks]

    def _spoil(self, tasks: list[TaskRecord]) -> list[TaskRecord]:
        rng = self.rng
        last = tasks[-1]
        dice = rng.randrange(9)
        if dice == 0:
            changed = {"after": tuple(t.task for t in tasks)}
            return [tasks[0].model_copy(update=changed), *tasks[1:]]
        if dice == 1:
            return [*tasks, *(last.model_copy(update={"task": last.task + n}) for n in range(1, 5))]
        change: dict[str, Any] = {
            2: {"brief_chars": self.limits.brief_chars_max + 1},
            3: {"builder": "b9"},
            4: {"gates": ("g9",)},
            5: {"after": (last.task + 50,)},
            6: {"task": last.task + 77},
            7: {"task": tasks[0].task},
            8: {"builder": "coord"},
        }[dice]
        spoiled = last.model_copy(update=change)
        return [*tasks, spoiled] if dice == 7 else [*tasks[:-1], spoiled]

    def _build(self, author: str, body: Any) -> tuple[Any, Manifest | None]:
        rng = self.rng
        if rng.random() < self.p_object:
            return self._objection(author, body), None
        made_from = tuple(p.artifact for p in body.inputs)
        paths = {f"t{body.task}.sql"}
        if rng.random() < self.p_meet or len(made_from) > 1:
            paths.add(rng.choice(("shared.sql", "shared.sql", "shared.sql/x", "d", "d/x")))
        if len(paths) < 2 and rng.random() < 0.15:
            paths.add(f"d{body.task}/x.sql")
        for digest in made_from:
            if len(paths) < self.limits.files_max and rng.random() < 0.3:
                paths.add(rng.choice(self.manifests[digest].paths))
        size_bytes = rng.choice((1, 10, 100 // len(paths)))
        attempt, name = body.attempt, author
        if rng.random() < self.p_bad:
            dice = rng.randrange(5)
            if dice == 0:
                name = "b9"
            elif dice == 1:
                attempt += 1
            elif dice == 2:
                made_from = (*made_from, self.digest())
            elif dice == 3:
                size_bytes = 101
            else:
                paths |= {f"many/{n}" for n in range(self.limits.files_max)}
        if {"shared.sql", "shared.sql/x"} <= paths or {"d", "d/x"} <= paths:
            paths -= {"shared.sql/x", "d/x"}
        removals: tuple[str, ...] = ()
        base = None
        if self.base and rng.random() < 0.8:
            base = self.base if rng.random() < 0.95 else self.digest()
            if len(paths) < self.limits.files_max and rng.random() < 0.5:
                removals = tuple({rng.choice((f"old{body.task}.sql", "old.sql"))} - paths)
        content = self._counter
        manifest = Manifest(
            files=tuple(file_entry(p, content, size_bytes) for p in sorted(paths)),
            removals=removals,
            base=base,
            made_from=made_from,
            author=name,
            attempt=attempt,
            salt=self.digest(),
        )
        record = ArtifactRecord(**self._common(author), request=body.request, artifact=manifest.digest)
        return record, manifest

    def _review(self, author: str, body: Any) -> tuple[Any, None]:
        rng = self.rng
        dice = rng.random()
        decision = "approved"
        if dice < self.p_refuse * (0.3 if body.reads is PLAN else 1):
            decision = "refused"
        elif dice < self.p_refuse + self.p_abstain or (self.waivers and rng.random() < 0.15):
            decision = "abstained"
        waivers: tuple[str, ...] = ()
        if self.waivers:
            if rng.random() < 0.4:
                self._waive(author, body.subject)
            known = [m for m in self.history + self.queue if isinstance(m, Message) and m.record.kind == "waiver"]
            fitting = [m.digest for m in known if (m.record.subject, m.record.gate) == (body.subject, author)]
            if body.waivers and rng.random() < 0.8:
                waivers = (body.waivers[0][0],)
            elif fitting and rng.random() < 0.5:
                waivers = (rng.choice(fitting),)
            elif known and rng.random() < 0.2:
                waivers = (rng.choice(known).digest,)
            elif rng.random() < 0.03:
                waivers = (self.digest(),)
        if decision != "approved" and rng.random() < 0.9:
            waivers = ()
        return VerdictRecord(
            **self._common(author),
            ticket=body.ticket,
            decision=decision,  # type: ignore[arg-type]
            subject=body.subject,
            attempt=body.attempt,
            saw=body.saw,
            independence=body.independence,
            content=self.digest(),
            findings=ONE_FINDING if decision == "refused" else NO_FINDING,
            looked=0 if decision == "abstained" or rng.random() < self.p_blind else 1,
            waivers=waivers,
        ), None

    def _accept(self, author: str, body: Any) -> tuple[Any, None]:
        rng = self.rng
        numbers = list(body.numbers)
        reopen: tuple[int, ...] = ()
        held = [HeldRecord(predicate=p, holds=True, evidence="e" * 64) for p in self.predicates]
        if rng.random() < self.p_object * 0.3:
            return self._objection(author, body), None
        if rng.random() < (0.75 if body.refused else self.p_reopen):
            reopen = tuple(sorted(rng.sample(numbers, rng.randint(1, len(numbers)))))
            if rng.random() < 0.05:
                reopen = (*reopen, 999)
        elif held and rng.random() < self.p_bad:
            dice = rng.randrange(3)
            if dice == 0:
                held.pop()
            elif dice == 1:
                held[0] = HeldRecord(predicate=held[0].predicate, holds=False, evidence="e" * 64)
            else:
                held.append(HeldRecord(predicate=held[0].predicate, holds=False, evidence="f" * 64))
        return AcceptanceRecord(
            **self._common(author),
            request=body.request,
            subject=body.subject,
            held=tuple(held),
            reopen=reopen,
            content=self.digest(),
        ), None

    # --- people ---------------------------------------------------------------------------------------------------

    def _people(self, question: Any) -> None:
        rng = self.rng
        people = [*question.approvers, *(["h1", "h2", "h3"] if self.hostile else [])]
        shared_key = rng.random() < 0.1
        for person in people:
            self.answered_people.add((question.question, person))
            dice = rng.random()
            if dice < 0.12 + self.p_silent:
                continue
            decision = "denied" if rng.random() < 0.06 + self.p_refuse * 0.2 else "approved"
            record = AnswerRecord(
                workspace=WORKSPACE_ID,
                packet=self.packet,
                question=question.question,
                subject=question.subject if rng.random() < 0.97 else self.digest(),
                author=person,
                decision=decision,  # type: ignore[arg-type]
                channel=rng.choice(("terminal", "page", "program", "flag")),
            )
            who = key(person)
            if rng.random() < 0.15:
                who = {"h1": key("h1 again"), "h2": key("b1 and h2"), "h3": key("h1 and h3")}.get(person, who)
            if shared_key and person in ("h1", "h3"):
                who = key("h1 and h3")
            self.queue.append(Message(record, who, self.digest()))
            if rng.random() < 0.15:
                again = record.model_copy(update={"channel": "chat"})
                self.queue.append(Message(again, who, self.digest()))
            if rng.random() < 0.1:
                self.now += rng.choice((100, 400))

    def _waive(self, gate: str, subject: str) -> None:
        rng = self.rng
        person = rng.choice(("h1", "h1", "h2", "h3"))
        record = WaiverRecord(
            workspace=WORKSPACE_ID,
            packet=self.packet,
            subject=subject,
            author=person,
            gate=gate if rng.random() < 0.8 else rng.choice((*self.gate_names, "b1", "g9")),
            expires_ms=self.now + rng.choice((0, 5, 5, 20, DAY)),
            content=self.digest(),
        )
        who = key("b1 and h2") if person == "h2" and rng.random() < 0.2 else key(person)
        self.queue.append(Message(record, who, self.digest()))

    # --- hostility ------------------------------------------------------------------------------------------------

    def _forge(self, message: Message, body: Any) -> Message:
        """Return a message that must not count: somebody else's, about something else, or from elsewhere."""
        rng = self.rng
        record = message.record
        self.seen["forged"] += 1
        dice = rng.randrange(12)
        fields = type(record).model_fields
        if dice == 0:
            return message._replace(key=rng.choice((STRANGER, key("b3"), key("g3"), RUNNER, key("h1"))))
        if dice == 1:
            elsewhere = rng.choice(({"workspace": OTHER_WORKSPACE}, {"packet": "f" * 32}))
            return message._replace(record=record.model_copy(update=elsewhere), digest=self.digest())
        if dice == 3 and "author" in fields:
            other = rng.choice(("g1", "g2", "b1", "coord", "h1"))
            return Message(record.model_copy(update={"author": other}), message.key, self.digest(), message.manifest)
        if dice == 4 and "subject" in fields:
            return message._replace(record=record.model_copy(update={"subject": self.digest()}), digest=self.digest())
        if dice == 5 and "attempt" in fields:
            change = {"attempt": record.attempt + rng.choice((1, 2))}
            return message._replace(record=record.model_copy(update=change), digest=self.digest())
        if dice == 6 and record.kind == "verdict":
            change = rng.choice(({"saw": self.digest()}, {"independence": "identity"}))
            return message._replace(record=record.model_copy(update=change), digest=self.digest())
        if dice == 7 and record.kind == "verdict" and record.author in ("g1", "g2"):
            yes = record.model_copy(update={"decision": "approved", "findings": NO_FINDING, "waivers": (), "looked": 1})
            both = "b1 and g1" if record.author == "g1" else "b2 and g2"
            self.seen["self-approval"] += 1
            return Message(yes, key(both), self.digest())
        if dice in (2, 9) and record.kind in ("verdict", "artifact"):
            other = rng.choice(self.gate_names if record.kind == "verdict" else self.builder_names)
            return Message(record.model_copy(update={"author": other}), key(other), self.digest(), message.manifest)
        if dice == 10 and record.kind == "plan":
            yes = AcceptanceRecord(
                **self._common("coord"), request=record.request, subject=self.digest(), content=self.digest()
            )
            return Message(yes, key("coord"), self.digest())
        if dice == 11 and "model" in fields:
            other = rng.choice(("gate-route:m9", "m1", "q1", "builder-route:q1" if record.kind == "verdict" else "q2"))
            return message._replace(record=record.model_copy(update={"model": other}), digest=self.digest())
        if dice == 8 and record.kind == "artifact":
            return Message(record.model_copy(update={"artifact": self.digest()}), message.key, self.digest(), None)
        if record.kind in ("objection", "artifact", "plan"):
            both = {"b1": "coord b1", "coord": "b coord"}.get(getattr(record, "author", ""))
            if both and "request" in fields:
                objection = ObjectionRecord(
                    **self._common(record.author), request=record.request, content=self.digest()
                )
                self.seen["namesake"] += 1
                return Message(objection, key(both), self.digest())
        return message._replace(key=STRANGER)

    def _side_event(self) -> None:
        rng = self.rng
        dice = rng.random()
        state = self.state
        if dice < 0.3 and self.history:
            self.seen["stale"] += 1
            self.queue.append(rng.choice(self.history))
        elif dice < 0.42 and self.stops_left:
            self.stops_left -= 1
            who = rng.choice([k for k in ROLES if k != ROOT])
            hat = rng.choice(sorted(ROLES[who])).split(":")[-1]
            stop = StopRecord(
                workspace=WORKSPACE_ID,
                packet=rng.choice((None, self.packet)),
                author=hat,
                content=self.digest(),
            )
            if self.say_workspace(stop, who):
                self.seen["stop"] += 1
        elif dice < 0.5:
            who = rng.choice([key(n) for n in ("b1", "g1", "g2", "h1", "h2", "coord", "g1 again", "b2")])
            if rng.random() < 0.35 and self.shadow.view.roles_of(who):
                self.say_workspace(
                    {
                        "event": "revoke",
                        "key": who,
                        "reason": "compromised",
                        "suspect_from_index": START + len(self.entries) + 1,
                    },
                    ROOT,
                )
                self.seen["revoked"] += 1
        elif dice < 0.58 and state is not None:
            about = rng.choice([*state.tickets, *state.jobs, "0" * 64])
            self.seen["early deadline"] += 1
            record = DeadlineRecord(workspace=WORKSPACE_ID, packet=self.packet, about=about)
            self.queue.append(Message(record, RUNNER, self.digest()))
        elif (dice < 0.62 or (state and state.question and dice < 0.75)) and state is not None:
            armed = [a for a in self.kernel.pending(state) if isinstance(a, self.kernel.Arm)]
            if armed:
                arm = rng.choice((armed[-1], rng.choice(armed)))
                self.now = max(self.now, arm.at_ms - 1)
                record = DeadlineRecord(workspace=WORKSPACE_ID, packet=self.packet, about=arm.about)
                self.hand_in(Message(record, RUNNER, self.digest()))
                if rng.random() < 0.7:
                    self.now = max(self.now, arm.at_ms)
                    self.hand_in(Message(record, RUNNER, self.digest()))
        elif dice < 0.68 and state is not None and state.jobs:
            about = rng.choice([*state.tickets, *state.jobs])
            record = FaultRecord(workspace=WORKSPACE_ID, packet=self.packet, about=about, reason="crashed")
            self.queue.append(Message(record, RUNNER, self.digest()))
        elif dice < 0.74 and state is not None and state.tickets:
            ticket = rng.choice(list(state.tickets.values()))
            self.queue.append(Message(ticket.record, RUNNER, self.digest()))  # an output handed in
        elif dice < 0.8 and state is not None and state.question:
            self._people(state.question)
        elif dice < 0.84:
            self.queue.append(Message(self.opened, PROGRAM, self.digest()))
        elif dice < 0.88:
            subject = rng.choice(("human:h1", "gate:g1", "builder:b1", "coordinator:coord", "runner"))
            scope = {"h": "waiver", "g": "verdict", "b": "artifact", "c": "plan", "r": "fault"}[subject[0]]
            if rng.random() < 0.3:
                grant = GrantRecord(workspace=WORKSPACE_ID, subject=subject, scope=scope, revoked=rng.random() < 0.5)
                self.say_workspace(grant, ROOT)
                self.seen["grant"] += 1
        elif dice < 0.92:
            self._lift()
        else:
            self.seen["crash"] += 1
            for runner in self.runners:
                self.refold(runner)


def _short(record: Any) -> str:
    if isinstance(record, dict):
        return str({k: str(v)[:12] for k, v in record.items()})
    shown = {}
    for name, value in record:
        if name in ("workspace", "packet", "roles", "nonce", "policy", "saw", "usage", "content", "independence"):
            continue
        text = value[-6:] if isinstance(value, str) and len(value) == 64 else str(value)
        shown[name] = text if len(text) < 160 else text[:160] + "..."
    return ", ".join(f"{k}={v}" for k, v in shown.items())
