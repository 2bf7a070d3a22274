"""A packet on a stage: a view, a squad, and short words for what everybody says.

`Scene` steps the kernel and keeps the ledger, so that any test can also ask for the replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from squads.contracts.artifact import Artifact, Manifest
from squads.contracts.finding import FindingCounts, Usage
from squads.contracts.packet import AttemptKind, Budget, Limits
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
    ArtifactRecord,
    DeadlineRecord,
    FaultRecord,
    HeldRecord,
    ObjectionRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    RoleRecord,
    TaskRecord,
    VerdictRecord,
    WaiverRecord,
)
from squads.kernel.effects import Ask, Effect, Finish, Ignore, Record, Send
from squads.kernel.identify import packet_deadline_id
from squads.kernel.receipts import payload_of, receipt_of
from squads.kernel.replay import Replay, outputs
from squads.kernel.state import Attested, PacketState
from squads.kernel.step import step
from squads.kernel.view import View
from squads.ledger.keys import RegisteredKey, Registry
from squads.ledger.statement import PAYLOAD_TYPE

WORKSPACE = "a" * 32
PACKET = "b" * 32
NONCE = "c" * 64
START_MS = 1_000_000
BARE = ("root", "runner", "program")
EVERYBODY = (
    *BARE,
    *("coordinator:coord", "builder:carpenter", "builder:mason", "gate:schema", "gate:style", "gate:spec"),
    *("human:mara", "human:nils", "human:olga"),
)
PLAN, ARTIFACT, COMPOSITION = AttemptKind.PLAN, AttemptKind.ARTIFACT, AttemptKind.COMPOSITION


def key(name: str) -> str:
    """Return the hex key id of a name."""
    return sha256(name.encode()).hexdigest()


def digest(word: object) -> str:
    """Return a digest for a word."""
    return sha256(f"digest of {word}".encode()).hexdigest()


def registry(roles: Mapping[str, Iterable[str]]) -> Registry:
    """Return a registry of key name to roles, valid from the beginning."""
    keys = {
        bytes.fromhex(key(name)): RegisteredKey(
            public_key=bytes.fromhex(key(name)),
            subject="somebody",
            roles=frozenset(held),
            custody="in-process",
            from_index=0,
            kinds=frozenset(),
        )
        for name, held in roles.items()
    }
    return Registry("test.invalid/squads/0", WORKSPACE, b"\0" * 32, keys)


def view_of(*names: str, **more: Iterable[str]) -> View:
    """Return a view in which each role's key is named like the role, and `more` keys hold other roles."""
    held = {name: (name,) for name in (names or EVERYBODY)}
    return View(WORKSPACE, registry({**held, **more}), index=20, length=20)


def role(name: str, kind: str, *reads: AttemptKind, **change: Any) -> RoleRecord:
    """Return a resolved role with a prior of its own."""
    return RoleRecord(**{"name": name, "kind": kind, "prior": digest(name), "reads": reads, **change})


COORD, CARPENTER, MASON = role("coord", "coordinator"), role("carpenter", "builder"), role("mason", "builder")
SCHEMA, STYLE = role("schema", "gate", ARTIFACT), role("style", "gate", ARTIFACT)


def opened(*gates: RoleRecord, **change: Any) -> Opened:
    """Return an opening receipt for a squad with these gates, all required."""
    gates = gates or (SCHEMA,)
    fields: dict[str, Any] = {
        "workspace": WORKSPACE,
        "packet": PACKET,
        "nonce": NONCE,
        "rules": 1,
        "content": digest("packet"),
        "gates": tuple(g.name for g in gates),
        "roles": (COORD, CARPENTER, MASON, *gates),
        "limits": Limits(),
        "budget": Budget(),
        "approval": None,
        "independence": "identity",
        "policy": "0" * 64,
    }
    return Opened(**{**fields, **change})


def task(number: int, *after: int, **change: Any) -> TaskRecord:
    """Return a task of the carpenter's."""
    fields = {"task": number, "builder": "carpenter", "after": after, "brief": digest(("brief", number))}
    return TaskRecord(**{**fields, "brief_chars": 10, **change})


class Scene:
    """One packet, stepped by hand."""

    def __init__(self, *gates: RoleRecord, view: View | None = None, **change: Any) -> None:
        self.view = view or view_of()
        self.now = START_MS
        self.state: PacketState | None = None
        self.effects: list[Effect] = []
        self.entries: list[tuple[PacketRecord, str, int]] = []
        """(record, key, time) of everything recorded."""
        self.manifests: dict[str, Manifest] = {}
        self.say(opened(*gates, **change), "program")

    # --- stepping -------------------------------------------------------------------------------------------------

    def say(self, record: PacketRecord, who: str, *, manifest: Manifest | None = None, wait: int = 0) -> list[Effect]:
        """Step one record signed by `who`, `wait` milliseconds later; return the effects."""
        self.now += wait
        receipt = sha256(payload_of(record)).hexdigest()
        event = Attested(record, key(who), self.view.roles_of(key(who)), receipt, self.now, manifest)
        before = self.state
        self.state, self.effects = step(self.view, self.state, event)
        if self.ignored:
            assert self.state is before
        else:
            if manifest is not None:
                self.manifests[manifest.digest] = manifest
            self.entries.append((record, key(who), self.now))
            self.entries += [(output, key("runner"), self.now) for output in outputs(self.effects)]
        return self.effects

    @property
    def ignored(self) -> str:
        """Why the newest event was ignored; empty when it was not."""
        return self.effects[0].reason if self.effects and isinstance(self.effects[0], Ignore) else ""

    @property
    def s(self) -> PacketState:
        """The state, which there is."""
        assert self.state is not None
        return self.state

    @property
    def reason(self) -> str:
        """Why the packet ended; empty while it is open."""
        return self.s.finish.reason if self.s.finish else ""

    @property
    def sent(self) -> list[str]:
        """To whom the newest step sent something, in order."""
        return [e.recipient for e in self.effects if isinstance(e, Send)]

    @property
    def recorded(self) -> list[str]:
        """Which outputs the newest step had recorded, in order."""
        return [e.record.kind for e in self.effects if isinstance(e, (Record, Finish))]

    @property
    def asked(self) -> list[Ask]:
        """Questions of the newest step."""
        return [e for e in self.effects if isinstance(e, Ask)]

    def replay(self, entries: list[tuple[PacketRecord, str, int]] | None = None, *, keep: bool = True) -> Replay:
        """Fold the ledger, or other entries, from the receipts' bytes."""
        replay = Replay(self.manifests.get, keep={PACKET} if keep else ())
        replay.view = self.view
        for seq, (record, who, time_ms) in enumerate(self.entries if entries is None else entries, 20):
            payload = payload_of(record)
            replay.feed(receipt_of(seq, PAYLOAD_TYPE, payload, (bytes.fromhex(who),), time_ms))
        return replay

    # --- what everybody says --------------------------------------------------------------------------------------

    def request(self, work: str, number: int | None = None) -> str:
        """Return the open request for a piece of work."""
        found = [
            r
            for r, j in self.s.jobs.items()
            if j.record.work == work and not j.receipt and (number is None or j.record.task == number)
        ]
        assert found, f"no open request to {work} {number or ''}"
        return found[-1]

    def ticket(self, gate: str, *, number: int | None = None) -> Any:
        """Return the open ticket of a gate."""
        found = [
            t
            for t in self.s.tickets.values()
            if t.record.gate == gate and not t.decision and (number is None or t.record.task == number)
        ]
        assert found, f"no open ticket for {gate}"
        return found[-1]

    def common(self, author: str, usage: Usage | None = None) -> dict[str, Any]:
        """Return the fields that every role's record begins with."""
        return {"workspace": WORKSPACE, "packet": PACKET, "author": author, **({"usage": usage} if usage else {})}

    def plan(self, *tasks: TaskRecord, content: str = "", usage: Usage | None = None, who: str = "") -> list[Effect]:
        """Let the coordinator hand in a plan; one task of the carpenter's when none is given."""
        request = self.request("plan")
        record = PlanRecord(
            **self.common("coord", usage),
            request=request,
            content=content or digest(("plan", request)),
            tasks=tasks or (task(1),),
        )
        return self.say(record, who or "coordinator:coord")

    def object(self, author: str = "carpenter", number: int | None = None) -> list[Effect]:
        """Let a builder refuse its brief, or the coordinator the packet."""
        kind, work = ("coordinator", "plan") if author == "coord" else ("builder", "build")
        request = self.request(work, number)
        record = ObjectionRecord(**self.common(author), request=request, content=digest(("objection", request)))
        return self.say(record, f"{kind}:{author}")

    def manifest(self, number: int = 1, files: Mapping[str, str] | None = None, **change: Any) -> Manifest:
        """Return the manifest that answers an open build request."""
        body: Any = self.s.jobs[self.request("build", number)].request
        fields: dict[str, Any] = {
            "made_from": [p.artifact for p in body.inputs],
            "author": self.s.jobs[body.request].record.role,
            "attempt": body.attempt,
            "salt": digest(("salt", body.request)),
        }
        return Artifact.of(files or {f"t{number}.sql": f"v{body.attempt}"}, **{**fields, **change}).manifest

    def build(
        self,
        number: int = 1,
        files: Mapping[str, str] | None = None,
        *,
        usage: Usage | None = None,
        who: str = "",
        **change: Any,
    ) -> list[Effect]:
        """Let a task's builder hand in its artifact."""
        manifest = self.manifest(number, files, **change)
        request = self.request("build", number)
        author = self.s.jobs[request].record.role
        record = ArtifactRecord(**self.common(author, usage), request=request, artifact=manifest.digest)
        return self.say(record, who or f"builder:{author}", manifest=manifest)

    def verdict(
        self, gate: str = "schema", decision: str = "approved", *, number: int | None = None, **change: Any
    ) -> VerdictRecord:
        """Return a gate's verdict on its open ticket."""
        ticket = self.ticket(gate, number=number)
        fields: dict[str, Any] = {
            **self.common(gate),
            "ticket": ticket.record.ticket,
            "decision": decision,
            "subject": ticket.record.subject,
            "attempt": ticket.record.attempt,
            "saw": ticket.request.saw,
            "independence": ticket.record.independence,
            "content": digest(("verdict", ticket.record.ticket, decision)),
            "findings": FindingCounts(major=1 if decision == "refused" else 0),
            "looked": 0 if decision == "abstained" else 1,
        }
        return VerdictRecord(**{**fields, **change})

    def judge(
        self,
        gate: str = "schema",
        decision: str = "approved",
        *,
        number: int | None = None,
        who: str = "",
        **change: Any,
    ) -> list[Effect]:
        """Let a gate answer its open ticket."""
        return self.say(self.verdict(gate, decision, number=number, **change), who or f"gate:{gate}")

    def accept(
        self, *, reopen: tuple[int, ...] = (), held: Mapping[str, bool] | None = None, usage: Usage | None = None
    ) -> list[Effect]:
        """Let the coordinator answer the end-to-end check."""
        request = self.request("accept")
        record = AcceptanceRecord(
            **self.common("coord", usage),
            request=request,
            subject=self.s.composition,
            held=tuple(HeldRecord(predicate=p, holds=h, evidence=digest(p)) for p, h in (held or {}).items()),
            reopen=reopen,
            content=digest(("acceptance", request)),
        )
        return self.say(record, "coordinator:coord")

    def answer(
        self, person: str, decision: str = "approved", *, who: str = "", wait: int = 0, **change: Any
    ) -> list[Effect]:
        """Let a person answer the open question."""
        question = self.s.question
        assert question is not None
        fields: dict[str, Any] = {
            "workspace": WORKSPACE,
            "packet": PACKET,
            "author": person,
            "question": question.question,
            "subject": question.subject,
            "decision": decision,
            "channel": "terminal",
        }
        return self.say(AnswerRecord(**{**fields, **change}), who or f"human:{person}", wait=wait)

    def waive(
        self, subject: str, *, person: str = "mara", gate: str = "schema", lasts_ms: int = 10_000, who: str = ""
    ) -> str:
        """Let a person sign a waiver; return its receipt's digest."""
        record = WaiverRecord(
            workspace=WORKSPACE,
            packet=PACKET,
            subject=subject,
            author=person,
            gate=gate,
            expires_ms=self.now + lasts_ms,
            content=digest(("waiver", self.now, person)),
        )
        self.say(record, who or f"human:{person}")
        return sha256(payload_of(record)).hexdigest()

    def fault(self, about: str) -> list[Effect]:
        """Let the runner say that a request got no usable reply."""
        return self.say(FaultRecord(workspace=WORKSPACE, packet=PACKET, about=about, reason="crashed"), "runner")

    def deadline(self, about: str = "", *, wait: int = 0) -> list[Effect]:
        """Let the runner say that a deadline was reached; the packet's own when none is named."""
        record = DeadlineRecord(workspace=WORKSPACE, packet=PACKET, about=about or packet_deadline_id(NONCE))
        return self.say(record, "runner", wait=wait)

    # --- short ways to a place ------------------------------------------------------------------------------------

    def to_acceptance(self, *tasks: TaskRecord) -> Scene:
        """Plan, build and approve everything, up to the end-to-end check."""
        self.plan(*tasks)
        while any(j.record.work == "build" and not j.receipt for j in self.s.jobs.values()):
            number = next(j.record.task for j in self.s.jobs.values() if j.record.work == "build" and not j.receipt)
            self.build(number or 1)
            self.approve_all()
        return self

    def approve_all(self) -> Scene:
        """Let every gate approve whatever it is asked."""
        while waiting := [t for t in self.s.tickets.values() if not t.decision]:
            self.judge(waiting[0].record.gate)
        return self
