"""The independent checker: section 5 of the design, read off receipts and manifests alone.

It never calls the kernel. It walks the ledger once, keeps its own books, and says what a receipt may not have been: a
verdict that was counted twice, a part that nobody approved, a deadline before its time. Where it and the kernel
disagree, one of them has misread the design.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

LEVELS = ("identity", "prior", "model", "family")
KIND_OF_WORK = {"plan": "coordinator", "build": "builder", "accept": "coordinator"}
AUTHORS_KIND = {"plan": "coordinator", "acceptance": "coordinator", "artifact": "builder", "verdict": "gate"}


INPUTS = ("plan", "objection", "artifact", "verdict", "acceptance", "answer", "waiver", "fault")


def asked_of(record: Any) -> str:
    """Return the role that something was asked of."""
    return str(record.role if hasattr(record, "role") else record.gate)


def accounts(record: Any) -> list[tuple[str, Any]]:
    """Return the accounts on which the answer to an assignment or ticket counts."""
    return [("packet", 0), ("role", asked_of(record)), *([("task", record.task)] if record.task is not None else [])]


def most(role: Any) -> tuple[int, int, int]:
    """Return what one answer of a role may cost."""
    return role.call_tokens_max, role.call_microusd_max, role.call_ms_max


def cost_of(usage: Any) -> tuple[int, int, int]:
    """Return what a reply cost."""
    return usage.tokens, usage.cost_microusd, usage.wait_ms


class Violation(AssertionError):
    """The ledger holds something that must not be there."""


def must(condition: object, what: str, *about: object) -> None:
    """Raise `Violation` unless `condition` holds."""
    if not condition:
        raise Violation(" ".join([what, *(str(a)[:200] for a in about)]))


@dataclass
class Ask:
    """A request or ticket, and what became of it."""

    record: Any
    answer: Any = None
    answer_key: str = ""
    answer_digest: str = ""
    closed: bool = False
    """Answered, or silent for good."""
    counted: str = ""
    """What a verdict counts as: `approved`, `refused`, `abstained`; `abstained` for silence."""
    void: bool = False
    equivocated: bool = False
    cost: tuple[int, int, int] = (0, 0, 0)
    """Tokens, money and time that it may still cost, or did cost."""


@dataclass
class Books:
    """What the checker has seen so far."""

    opened: Any = None
    roles: dict[str, Any] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    builds: dict[int, list[Ask]] = field(default_factory=dict)
    plan_asks: list[Ask] = field(default_factory=list)
    accept_asks: list[Ask] = field(default_factory=list)
    tickets: dict[tuple[str, int, int], list[Ask]] = field(default_factory=dict)
    """By (what is read, task, attempt)."""
    plan: Any = None
    """The plan in force."""
    proposal: Ask | None = None
    authors: dict[str, tuple[str, str]] = field(default_factory=dict)
    compositions: list[Any] = field(default_factory=list)
    question: Any = None
    approvals: dict[str, str] = field(default_factory=dict)
    denied: bool = False
    waivers: dict[str, Any] = field(default_factory=dict)
    waivers_used: set[str] = field(default_factory=set)
    messages: int = 0
    objections: int = 0
    plan_rounds: int = 0
    next_task: int = 1
    tries: dict[int, int] = field(default_factory=dict)
    finish: Any = None
    last: Any = None
    """The newest input."""
    owed: Any = None
    """An equivocation that must be the next receipt."""


class Checker:
    """Reads one packet's ledger. Raises `Violation`; `facts` counts what it saw on the way."""

    def __init__(
        self, entries: Iterable[Any], manifests: Mapping[str, Any], keys: Mapping[str, frozenset[str]], runner: str
    ) -> None:
        self.manifests = manifests
        self.keys = dict(keys)
        self.runner = runner
        self.grants: dict[tuple[str, str], Any] = {}
        self.stops: dict[str, tuple[str, str]] = {}
        self.facts: set[str] = set()
        self.b = Books()
        self.now, self.due_ms = 0, 0
        for entry in entries:
            must(entry.time_ms >= self.now, "time went backwards at", entry.seq)
            self.now = entry.time_ms
            if entry.stream == "workspace":
                self._workspace(entry)
            else:
                late = entry.kind in INPUTS and entry.kind not in ("opened", "deadline") and self.now >= self.due_ms
                must(not late, "something counted after the packet's own deadline:", entry.kind)
                self._packet(entry)
        must(self.b.owed is None, "a second answer without its equivocation")

    # --- the workspace's own stream -------------------------------------------------------------------------------

    def _workspace(self, entry: Any) -> None:
        record, roles = entry.record, self.keys.get(entry.key, frozenset())
        if entry.kind == "key-event":
            must("root" in roles, "a key event that no root signed")
            self.keys[record["key"]] = frozenset()
            self.facts.add("revoked key")
        elif entry.kind == "grant":
            must("root" in roles, "a grant that no root signed")
            self.grants[record.subject, record.scope] = record
        elif entry.kind == "stop":
            must(roles, "a stop by nobody")
            self.stops[record.packet or ""] = (record.author, entry.key)
            self.facts.add("stop")
        elif entry.kind == "lift":
            scope = record.packet or ""
            must(f"human:{record.author}" in roles, "a lift that no person signed")
            must(scope in self.stops, "a lift of nothing")
            author, who = self.stops.pop(scope)
            mine = {r for r in roles if r.startswith("human:")}
            people = {r for held in self.keys.values() for r in held if r.startswith("human:")}
            if people - mine:
                must(entry.key != who and record.author != author, "lifted by whoever stopped it")
            self.facts.add("lift")

    def _holds(self, key: str, role: str, scope: str) -> bool:
        if role not in self.keys.get(key, frozenset()):
            return False
        grant = self.grants.get((role, scope))
        if grant is None:
            return scope != "waiver"
        return not grant.revoked and (grant.expires_ms is None or self.now < grant.expires_ms)

    # --- the packet's stream --------------------------------------------------------------------------------------

    def _packet(self, entry: Any) -> None:
        b, record = self.b, entry.record
        must(not (self.stops.keys() & {"", entry.stream}), "recorded while stopped:", entry.kind)
        must(b.finish is None, "recorded after the end:", entry.kind)
        must(record.packet == entry.stream, "recorded in another packet's stream")
        if b.opened is None:
            must(entry.kind == "opened", "a packet that begins with", entry.kind)
        else:
            must(record.workspace == b.opened.workspace, "a record of another workspace")
        if b.owed is not None:
            must(entry.kind == "equivocation", "a second answer was not called equivocation but", entry.kind)
        if entry.kind not in ("opened", "finish"):
            must(self.why_not is None, "a packet that must not begin went on:", self.why_not)
        handler = getattr(self, f"_{entry.kind}")
        if entry.kind in ("assignment", "ticket", "question", "composition", "equivocation", "finish"):
            must(entry.key == self.runner, "an output that the runner did not sign:", entry.kind)
        else:
            b.last = entry
        handler(entry, record)

    def _opened(self, entry: Any, record: Any) -> None:
        must(self.b.opened is None, "opened twice")
        must(
            any(r == "program" or r.startswith("human:") for r in self.keys.get(entry.key, ())),
            "opened by somebody who may not",
        )
        self.b.opened = record
        self.b.roles = {r.name: r for r in record.roles}
        self.due_ms = entry.time_ms + record.limits.packet_ms_max
        self.why_not = self._why_not()

    def _reserve(self, record: Any) -> Ask:
        b = self.b
        b.messages += 1
        must(b.messages <= b.opened.limits.messages_max, "more messages than messages_max")
        ask = Ask(record, cost=(record.tokens_reserved, record.microusd_reserved, record.wait_ms_reserved))
        role = b.roles[asked_of(record)]
        must(ask.cost == most(role), "a reservation that is not what the role may cost")
        for account in accounts(record):
            must(not self._passed_by(account, ask.cost), "more reserved and spent than the budget of", account)
        must(record.due_ms == self.now + b.opened.limits.reply_ms_max, "a request with another deadline")
        return ask

    def used(self, account: tuple[str, Any]) -> tuple[int, ...]:
        """Return tokens, money and time that an account has spent, with what is still out for it."""
        costs = [a.cost for a in self.b.asks.values() if account in accounts(a.record)]
        return tuple(map(sum, zip(*costs, strict=True))) if costs else (0, 0, 0)

    def _limits(self, account: tuple[str, Any]) -> tuple[int | None, ...]:
        budget = self.b.opened.budget
        kind, whose = account
        own = {"packet": budget, "task": budget.task}.get(kind)
        if kind == "role":
            own = {allowed.role: allowed for allowed in budget.roles}.get(whose)
        return (own.tokens_max, own.cost_microusd_max, own.wait_ms_max) if own else (None, None, None)

    def _passed_by(self, account: tuple[str, Any], more: tuple[int, ...] = (0, 0, 0)) -> bool:
        """Say whether an account passes a limit once `more` is added."""
        rows = zip(self._limits(account), self.used(account), more, strict=True)
        return any(limit is not None and used + added > limit for limit, used, added in rows)

    def _assignment(self, entry: Any, record: Any) -> None:
        b = self.b
        must(record.request not in b.asks, "one request twice")
        must(
            record.request == self._id("assignment", record.work, record.task or 0, record.attempt),
            "a request whose id does not follow from what it is",
        )
        role = b.roles.get(record.role)
        must(role is not None and role.kind == KIND_OF_WORK[record.work], "work for a role that cannot do it")
        ask = self._reserve(record)
        b.asks[record.request] = ask
        bound = b.opened.limits.attempts_max
        if record.work == "plan":
            must(record.attempt == len(b.plan_asks) + 1, "a plan's attempt out of order")
            must(all(a.closed or a.void for a in b.plan_asks), "two plans at a time")
            b.plan_asks.append(ask)
            b.plan_rounds += 1
            must(b.plan_rounds <= bound, "more tries at one plan than attempts_max")
            rounds = 1 + b.opened.limits.objections_max + b.opened.limits.amendments_max
            must(len(b.plan_asks) <= rounds * bound, "more plans than all bounds allow")
        elif record.work == "build":
            self._assigned_build(ask, record, bound)
        else:
            must(record.attempt == len(b.accept_asks) + 1, "an end-to-end check out of order")
            must(b.compositions and record.subject == b.compositions[-1].artifact, "a check of another composition")
            b.accept_asks.append(ask)
            same = [a for a in b.accept_asks if a.record.subject == record.subject]
            must(len(same) <= bound, "more end-to-end checks than attempts_max")

    def _assigned_build(self, ask: Ask, record: Any, bound: int) -> None:
        b = self.b
        number = record.task
        must(b.plan is not None, "a build before any plan was approved")
        task = next((t for t in b.plan.tasks if t.task == number), None)
        must(task is not None, "a build of a task that is not in the plan in force")
        must(task.builder == record.role and task.brief == record.subject, "a build by another brief or builder")
        must(task.brief_chars <= b.opened.limits.brief_chars_max, "a brief over the bound went out")
        earlier = b.builds.setdefault(number, [])
        must(record.attempt == len(earlier) + 1, "an attempt's number out of order: it was used before")
        must(all(a.closed or a.void for a in earlier), "two attempts of one task at a time")
        must(not any(self._approved(a) for a in earlier), "a task that is approved is built again")
        must(all(self._in_force(a) is not None for a in task.after), "a task started before what it comes after")
        earlier.append(ask)
        b.tries[number] = b.tries.get(number, 0) + 1
        must(b.tries[number] <= bound, "more tries at one task than attempts_max")

    def _ticket(self, entry: Any, record: Any) -> None:
        b = self.b
        role = b.roles.get(record.gate)
        must(role is not None and role.kind == "gate" and record.reads in role.reads, "a ticket for no such reader")
        must(record.gate in self._readers(record.reads, record.task), "a ticket for a gate that need not read this")
        key = (str(record.reads), record.task or 0, record.attempt)
        must(self._subject(key) == record.subject, "a ticket about other bytes than were handed in")
        must(
            record.ticket
            == self._id("ticket", record.task or 0, record.attempt, record.gate, record.subject, record.ask),
            "a ticket whose id does not follow from what it asks",
        )
        must(record.ticket not in b.asks, "one ticket twice")
        reached = self._independence(role, record.subject, key)
        must(reached is not None, "a ticket for somebody's own judge", record.gate)
        must(record.independence == reached, "a ticket that says another independence than there is", reached)
        must(LEVELS.index(reached) >= LEVELS.index(b.opened.independence), "a gate that is not independent enough")
        before = [a for a in b.tickets.get(key, []) if a.record.gate == record.gate]
        must(record.ask == len(before) + 1 and record.ask <= 2, "a gate asked too often")
        if before:
            must(before[0].counted == "abstained", "asked again although it did not abstain")
            self.facts.add("asked once more")
        if record.task:
            must(not b.builds[record.task][record.attempt - 1].void, "a ticket about a voided attempt")
        ask = self._reserve(record)
        b.asks[record.ticket] = ask
        b.tickets.setdefault(key, []).append(ask)

    def _plan(self, entry: Any, record: Any) -> None:
        ask = self._answered(entry, record, "plan")
        if ask is None:
            return
        self.b.proposal = ask
        self._adopt_when_approved()

    def _artifact(self, entry: Any, record: Any) -> None:
        ask = self._answered(entry, record, "build")
        if ask is None:
            return
        manifest = self.manifests.get(record.artifact)
        must(manifest is not None, "an artifact without a manifest")
        must(sha256(manifest.blob).hexdigest() == record.artifact, "a manifest under another digest")
        if self._well_made(ask, record.artifact):
            self.b.authors[record.artifact] = (record.author, entry.key)

    def _objection(self, entry: Any, record: Any) -> None:
        ask = self._answered(entry, record, "objection")
        if ask is not None and ask.record.work == "build":
            self.b.objections += 1
            must(self.b.objections <= self.b.opened.limits.objections_max + 1, "more objections than objections_max")
            self.facts.add("brief amended after an objection")

    def _acceptance(self, entry: Any, record: Any) -> None:
        b = self.b
        ask = self._answered(entry, record, "accept")
        if ask is None:
            return
        must(record.subject == b.compositions[-1].artifact, "an end-to-end check of other bytes")
        numbers = {t.task for t in b.plan.tasks}
        if record.reopen and set(record.reopen) <= numbers:
            voided = self._above(b.plan.tasks, set(record.reopen))
            for number in voided:
                self._void(number)
                if number not in record.reopen:
                    b.tries[number] = max(0, b.tries[number] - 1)
            self.facts.add("re-opened" if voided == set(record.reopen) else "re-opened with dependents")

    def _answered(self, entry: Any, record: Any, what: str) -> Ask | None:
        """Close a request with its first answer; None when it is a second one."""
        b = self.b
        ask = b.asks.get(record.request)
        must(ask is not None, "an answer to nothing that was asked:", record.kind)
        assert ask is not None
        must(ask.record.role == record.author, "an answer by another role than was asked")
        kind = b.roles[record.author].kind
        must(self._holds(entry.key, f"{kind}:{record.author}", record.kind), "signed without the role:", record.kind)
        if ask.closed:
            must(ask.answer is not None, "an answer after silence was recorded:", record.kind)
            self._second(ask, entry, record.request)
            return None
        must(not ask.void, "an answer to a voided request")
        must(what == "objection" or ask.record.work == what, "an answer that was not asked for")
        self._answered_by(record)
        self._close(ask, entry, record.usage)
        return ask

    def _close(self, ask: Ask, entry: Any, usage: Any) -> None:
        ask.closed = True
        ask.answer, ask.answer_key, ask.answer_digest = entry.record, entry.key, entry.digest
        ask.cost = cost_of(usage)

    def _second(self, ask: Ask, entry: Any, about: str) -> None:
        must(not ask.equivocated, "a third answer was recorded")
        must(entry.digest != ask.answer_digest, "one answer was recorded twice")
        ask.equivocated = True
        self.b.owed = (about, entry.record.author, ask.answer_digest, entry.digest)

    def _equivocation(self, entry: Any, record: Any) -> None:
        must(
            self.b.owed == (record.about, record.author, record.first, record.second),
            "an equivocation nobody committed",
        )
        self.b.owed = None
        self.facts.add("equivocation")

    def _verdict(self, entry: Any, record: Any) -> None:
        b = self.b
        ask = b.asks.get(record.ticket)
        must(ask is not None, "a verdict on no ticket that was logged before")
        assert ask is not None
        ticket = ask.record
        must(record.author == ticket.gate, "a verdict by another gate than was asked")
        must(self._holds(entry.key, f"gate:{record.author}", "verdict"), "a verdict by a key without the gate's role")
        if ask.closed:
            must(ask.answer is not None, "a verdict after silence was recorded")
            self._second(ask, entry, record.ticket)
            return
        key = (str(ticket.reads), ticket.task or 0, ticket.attempt)
        must(record.subject == ticket.subject, "a verdict about other bytes than its ticket")
        must(record.attempt == ticket.attempt, "a verdict about another attempt than its ticket")
        must(record.independence == ticket.independence, "a verdict that claims another independence")
        self._answered_by(record)
        must(not self._is_void(key), "a verdict on a voided attempt")
        for name, made_by in self._lineage(ticket.subject, key):
            kind = b.roles[name].kind if name in b.roles else ""
            must(entry.key != made_by, "a verdict with a key that made the work")
            must(f"{kind}:{name}" not in self.keys[entry.key], "a verdict with a key that holds the author's role")
        self._close(ask, entry, record.usage)
        ask.counted = self._count(record, ticket)
        if ticket.reads == "plan":
            self._adopt_when_approved()

    def _count(self, record: Any, ticket: Any) -> str:
        """Return what a verdict counts as.

        One that cites a waiver that is not live could not look, and by which model nobody says did not look with any.
        """
        b = self.b
        if record.decision == "approved" and record.looked and b.roles[record.author].models and not record.model:
            self.facts.add("approved by no model")
            return "abstained"
        if not record.waivers:
            return str(record.decision)
        for waiver in record.waivers:
            known = b.waivers.get(waiver)
            if (
                known is None
                or waiver in b.waivers_used
                or known.subject != ticket.subject
                or known.gate != ticket.gate
                or self.now >= known.expires_ms
            ):
                self.facts.add("dead waiver cited")
                return "abstained"
        if record.decision != "approved":
            return "abstained"
        b.waivers_used |= set(record.waivers)
        self.facts.add("waiver cited")
        return "approved"

    def _waiver(self, entry: Any, record: Any) -> None:
        must(self._holds(entry.key, f"human:{record.author}", "waiver"), "a waiver without a grant for it")
        must(self.now < record.expires_ms, "a waiver that had expired")
        role = self.b.roles.get(record.gate)
        must(role is not None and role.kind == "gate", "a waiver for no gate")
        must(not self._made_something(entry.key), "a waiver by an author")
        must(entry.digest not in self.b.waivers, "one waiver twice")
        self.b.waivers[entry.digest] = record

    def _made_something(self, key: str) -> bool:
        return any(key == made_by or f"builder:{name}" in self.keys[key] for name, made_by in self.b.authors.values())

    def _fault(self, entry: Any, record: Any) -> None:
        must(self._holds(entry.key, "runner", "fault"), "a fault that the runner did not sign")
        self._silence(record.about)
        if record.usage is not None:
            self.b.asks[record.about].cost = cost_of(record.usage)
            self.facts.add("fault with a known cost")

    def _deadline(self, entry: Any, record: Any) -> None:
        b = self.b
        must(self._holds(entry.key, "runner", "deadline"), "a deadline that the runner did not sign")
        if record.about == self._id("packet"):
            must(self.now >= self.due_ms, "the packet's deadline before its time")
        elif self.now >= self.due_ms:
            self.facts.add("expired by another deadline")  # whichever it was: the packet's own has come as well
        elif b.question is not None and record.about == b.question.question:
            must(self.now >= b.question.expires_ms, "a question's deadline before its time")
        else:
            must(record.about in b.asks, "a deadline about nothing")
            must(self.now >= b.asks[record.about].record.due_ms, "a deadline before its time")
            self._silence(record.about)

    def _silence(self, about: str) -> None:
        ask = self.b.asks.get(about)
        must(ask is not None, "silence about nothing")
        assert ask is not None
        must(not ask.closed and not ask.void, "silence about something that was answered")
        ask.closed = True
        if hasattr(ask.record, "gate"):
            ask.counted = "abstained"
        self.facts.add("silence")

    def _composition(self, entry: Any, record: Any) -> None:
        b = self.b
        must(record.attempt >= len(b.compositions) + 1, "a composition out of order")
        must(record.attempt <= b.opened.limits.compositions_max, "more compositions than compositions_max")
        self._check_union(record)
        b.compositions.append(record)
        self.facts.add(f"composition {min(record.attempt, 2)}")

    def _question(self, entry: Any, record: Any) -> None:
        b = self.b
        rule = b.opened.approval
        must(rule is not None, "a question that nobody asked for")
        must((record.approvers, record.quorum) == (rule.approvers, rule.quorum), "a question by another rule")
        must(record.expires_ms == self.now + rule.wait_ms_max, "a question that waits for another time")
        must(record.subject == b.compositions[-1].artifact, "a question about other bytes")
        self._check_accepted()
        b.messages += 1
        must(b.messages <= b.opened.limits.messages_max, "more messages than messages_max")
        b.question = record
        self.facts.add("question")

    def _answer(self, entry: Any, record: Any) -> None:
        b = self.b
        question = b.question
        must(question is not None and record.question == question.question, "an answer to no question")
        must(record.subject == question.subject, "an answer about other bytes")
        must(record.author in question.approvers, "an answer by somebody who was not asked")
        must(self._holds(entry.key, f"human:{record.author}", "answer"), "an answer without the person's key")
        must(self.now < question.expires_ms, "an answer after the question expired")
        if record.decision == "denied":
            b.denied = True
            return
        rule = b.opened.approval
        must(not (rule.person_required and record.channel in ("flag", "program")), "an answer by no person")
        must(record.author not in b.approvals, "one person counted twice")
        must(entry.key not in b.approvals.values(), "one key counted twice")
        must(not self._made_something(entry.key), "an author approved their own work")
        b.approvals[record.author] = entry.key

    # --- what follows from receipts -------------------------------------------------------------------------------

    def _id(self, noun: str, *parts: object) -> str:
        return sha256("\x1f".join((self.b.opened.nonce, noun, *map(str, parts))).encode()).hexdigest()

    def _subject(self, key: tuple[str, int, int]) -> str | None:
        kind, number, attempt = key
        b = self.b
        if kind == "plan":
            ask = b.plan_asks[attempt - 1]
            return ask.answer.content if ask.answer and self._plan_is_valid(ask.answer) else None
        if kind == "artifact":
            ask = b.builds[number][attempt - 1]
            if ask.answer is None or ask.answer.kind != "artifact" or not self._well_made(ask, ask.answer.artifact):
                return None
            return str(ask.answer.artifact)
        made = [c for c in b.compositions if c.attempt == attempt]
        return made[0].artifact if made else None

    def _is_void(self, key: tuple[str, int, int]) -> bool:
        kind, number, attempt = key
        if kind == "artifact":
            asks = self.b.builds[number]
            return asks[attempt - 1].void or attempt != len(asks)
        if kind == "plan":
            return attempt != len(self.b.plan_asks)
        return attempt != self.b.compositions[-1].attempt

    def _readers(self, reads: str, number: int | None) -> list[str]:
        b = self.b
        added: tuple[str, ...] = ()
        if reads == "artifact":
            added = next((t.gates for t in b.plan.tasks if t.task == number), ())
        return [g for g in dict.fromkeys((*b.opened.gates, *added)) if reads in b.roles[g].reads]

    def _lineage(self, subject: str, key: tuple[str, int, int]) -> list[tuple[str, str]]:
        if key[0] == "plan":
            ask = self.b.plan_asks[key[2] - 1]
            return [(ask.record.role, ask.answer_key)]
        found, waiting, seen = [], [subject], set()
        while waiting:
            digest = waiting.pop()
            if digest in seen:
                continue
            seen.add(digest)
            if digest in self.b.authors:
                found.append(self.b.authors[digest])
            manifest = self.manifests.get(digest)
            waiting.extend(manifest.made_from if manifest else ())
        return found

    def _independence(self, gate: Any, subject: str, key: tuple[str, int, int]) -> str | None:
        reached = "family"
        for name, _ in self._lineage(subject, key):
            author = self.b.roles[name]
            if author.name == gate.name or author.prior == gate.prior:
                return None
            reached = min(reached, self._level(gate, author), key=LEVELS.index)
        return reached

    def _passed(self, key: tuple[str, int, int], subject: str) -> bool:
        """Say whether every gate that must read an attempt has approved exactly it."""
        newest = {a.record.gate: a for a in self.b.tickets.get(key, [])}
        wanted = self._readers(key[0], key[1])
        return all(
            g in newest and newest[g].counted == "approved" and newest[g].record.subject == subject for g in wanted
        )

    def _approved(self, ask: Ask) -> bool:
        """Say whether a build's artifact is approved and in force."""
        if ask.void or ask.answer is None or ask.answer.kind != "artifact":
            return False
        digest = ask.answer.artifact
        if digest not in self.b.authors:
            return False
        return self._passed(("artifact", ask.record.task, ask.record.attempt), digest)

    def _in_force(self, number: int) -> str | None:
        asks = self.b.builds.get(number, [])
        return str(asks[-1].answer.artifact) if asks and self._approved(asks[-1]) else None

    def _well_made(self, ask: Ask, digest: str) -> bool:
        b = self.b
        manifest = self.manifests[digest]
        task = next((t for t in b.plan.tasks if t.task == ask.record.task), None)
        if task is None:
            return False
        if digest not in b.authors:  # what it was made from is judged when it comes in
            wanted = tuple(self._in_force(a) for a in sorted(task.after))
            if manifest.made_from != wanted:
                return False
        return bool(
            manifest.author == ask.record.role
            and manifest.attempt == ask.record.attempt
            and sum(f.size_bytes for f in manifest.files) <= b.opened.limits.artifact_bytes_max
            and len(manifest.files) + len(manifest.removals) <= b.opened.limits.files_max
        )

    def _void(self, number: int) -> None:
        for ask in self.b.builds.get(number, []):
            if not ask.void:
                ask.void = True
                for ticket in self.b.tickets.get(("artifact", number, ask.record.attempt), []):
                    ticket.void = True

    # --- plans ----------------------------------------------------------------------------------------------------

    def _above(self, tasks: Any, changed: set[int]) -> set[int]:
        """Return `changed` and everything that builds on it."""
        found = {t.task for t in tasks if t.task in changed}
        while True:
            more = {t.task for t in tasks if t.task not in found and found & set(t.after)}
            if not more:
                return found
            found |= more

    def _plan_is_valid(self, plan: Any) -> bool:
        b = self.b
        tasks = {t.task: t for t in plan.tasks}
        limits = b.opened.limits
        if not plan.tasks or len(tasks) != len(plan.tasks) or len(tasks) > limits.tasks_max:
            return False
        known = {t.task for t in b.plan.tasks} if b.plan else set()
        if any(n not in known and not b.next_task <= n < b.next_task + len(tasks) for n in tasks):
            return False
        for task in plan.tasks:
            if task.brief_chars > limits.brief_chars_max or len(set(task.after)) != len(task.after):
                return False
            if task.builder not in b.roles or b.roles[task.builder].kind != "builder":
                return False
            if any(g not in b.roles or "artifact" not in b.roles[g].reads for g in task.gates):
                return False
            if not set(task.after) <= tasks.keys():
                return False
        left = dict(tasks)
        while left:
            free = [n for n, t in left.items() if not set(t.after) & left.keys()]
            if not free:
                return False  # a circle
            for number in free:
                del left[number]
        return True

    def _adopt_when_approved(self) -> None:
        b = self.b
        ask = b.proposal
        if ask is None or not self._plan_is_valid(ask.answer):
            return
        if not self._passed(("plan", 0, ask.record.attempt), ask.answer.content):
            return
        plan, before = ask.answer, b.plan
        b.plan, b.proposal, b.plan_rounds = plan, None, 0
        b.next_task = max(b.next_task, *(t.task + 1 for t in plan.tasks))
        if before is None:
            return
        self.facts.add("amended")
        old = {t.task: t for t in before.tasks}
        new = {t.task: t for t in plan.tasks}
        changed = {n for n, t in new.items() if old.get(n) != t}
        dead = {n for n in new if n in old and self._waits_for_coordinator(n)}
        restart = self._above(plan.tasks, changed | dead)
        for number in restart | (old.keys() - new.keys()):
            self._void(number)
            b.tries[number] = 0
        if restart != set(new) and restart & set(old):
            self.facts.add("amended, some kept")

    def _waits_for_coordinator(self, number: int) -> bool:
        """Say whether a task's newest attempt came to nothing, so that the amended plan starts it over."""
        asks = self.b.builds.get(number, [])
        if not asks:
            return False
        ask = asks[-1]
        if ask.void:
            return True
        if not ask.closed:
            return False
        if ask.answer is None or ask.answer.kind == "objection" or ask.answer.artifact not in self.b.authors:
            return True
        newest = {a.record.gate: a for a in self.b.tickets.get(("artifact", number, ask.record.attempt), [])}
        if not all(a.counted for a in newest.values()):
            return False
        return any(a.counted != "approved" for a in newest.values())

    # --- the composition ------------------------------------------------------------------------------------------

    def _check_union(self, record: Any) -> None:
        """A composition is exactly the union of the approved artifacts in force."""
        b = self.b
        must(b.plan is not None, "a composition without a plan in force")
        wanted = {t.task: self._in_force(t.task) for t in b.plan.tasks}
        must(all(wanted.values()), "a composition of tasks that are not all approved", wanted)
        must(
            {p.task: p.artifact for p in record.parts} == wanted and len(record.parts) == len(wanted),
            "a composition of other parts than the approved ones",
        )
        made = self.manifests[record.artifact]
        must(sha256(made.blob).hexdigest() == record.artifact, "a composition under another digest")
        must(made.made_from == tuple(wanted[n] for n in sorted(wanted)), "a composition made from something else")
        below = {n: self._below(n) for n in wanted}
        for task in b.plan.tasks:
            part = self.manifests[wanted[task.task]]
            must(
                part.made_from == tuple(wanted[a] for a in sorted(task.after)),
                "a part made from what is no longer there",
            )
        speakers: dict[str, dict[int, str | None]] = {}
        for number, digest in wanted.items():
            part = self.manifests[digest]
            for entry in part.files:
                speakers.setdefault(entry.path, {})[number] = f"{entry.digest} {entry.media_type} {entry.size_bytes}"
            for path in part.removals:
                speakers.setdefault(path, {})[number] = None
        expected: dict[str, str | None] = {}
        for path, said in speakers.items():
            last = [n for n in said if set(said) - {n} <= below[n]]
            must(len(last) == 1, "a composition although paths meet:", path)
            expected[path] = said[last[0]]
            if len(said) > 1:
                self.facts.add("a path written again")
        got = {e.path: f"{e.digest} {e.media_type} {e.size_bytes}" for e in made.files} | dict.fromkeys(made.removals)
        must(got == expected, "a composition that is not the union of its parts")
        files = {p for p, said in expected.items() if said is not None}
        for path in files:
            parts = path.split("/")
            must(not any("/".join(parts[:n]) in files for n in range(1, len(parts))), "a file that is also a folder")
        bases = {self.manifests[d].base for d in wanted.values()} - {None}
        must(bases == ({made.base} - {None}), "a composition on another base than its parts")

    def _below(self, number: int) -> set[int]:
        tasks = {t.task: t for t in self.b.plan.tasks}
        found, waiting = set(), list(tasks[number].after)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting.extend(tasks[one].after)
        return found

    def _check_accepted(self) -> None:
        b = self.b
        composition = b.compositions[-1]
        key = ("composition", 0, composition.attempt)
        must(self._passed(key, composition.artifact), "a composition that its gates did not approve went on")
        ask = b.accept_asks[-1] if b.accept_asks else None
        must(ask is not None and ask.answer is not None, "a composition that the coordinator never checked")
        assert ask is not None
        answer = ask.answer
        must(answer.kind == "acceptance" and answer.subject == composition.artifact, "a check of something else")
        must(not answer.reopen, "a composition that the coordinator refused went on")
        holds = {h.predicate for h in answer.held if h.holds} - {h.predicate for h in answer.held if not h.holds}
        must(holds >= set(b.opened.predicates), "a composition without all of `done_when`")

    # --- the end --------------------------------------------------------------------------------------------------

    def _finish(self, entry: Any, record: Any) -> None:
        b = self.b
        b.finish = record
        self.facts.add(record.reason)
        must((record.outcome == "composed") == (record.reason == "composed"), "an outcome that is not its reason")
        if record.outcome == "composed":
            self._check_composed(record)
        else:
            must(record.artifact is None, "a refusal with an artifact")
            self._check_reason(record)

    def _check_composed(self, record: Any) -> None:
        b = self.b
        must(b.compositions and record.artifact == b.compositions[-1].artifact, "another artifact than was composed")
        composition = b.compositions[-1]
        must(b.opened.gates, "composed without gates")
        self._check_union(composition)
        self._check_accepted()
        for account in {account for a in b.asks.values() for account in accounts(a.record)}:
            must(not self._passed_by(account), "composed past the budget of", account)
        ask = next(a for a in b.plan_asks if a.answer is b.plan)
        must(self._passed(("plan", 0, ask.record.attempt), b.plan.content), "composed under a plan that gates refused")
        keys = [("artifact", t.task, len(b.builds[t.task])) for t in b.plan.tasks]
        everything = [("composition", 0, composition.attempt), *keys, ("plan", 0, ask.record.attempt)]
        for key in everything:
            for ticket in b.tickets.get(key, []):
                must(not ticket.equivocated, "composed on the word of a gate that said two things")
        looked = [self._looked(k) for k in everything[:-1]]
        must(looked[0] or all(looked[1:]), "composed although nobody looked")
        rule = b.opened.approval
        if rule is not None:
            must(b.question is not None and b.question.subject == record.artifact, "composed without the people asked")
            must(not b.denied, "composed although a person said no")
            must(len(b.approvals) >= rule.quorum, "composed without a quorum")
            must(len(set(b.approvals.values())) == len(b.approvals), "composed on one key's word twice")

    def _looked(self, key: tuple[str, int, int]) -> bool:
        newest = {a.record.gate: a for a in self.b.tickets.get(key, [])}
        return any(
            a.answer is not None and a.counted == "approved" and (a.answer.looked > 0 or self.b.roles[g].unsafe)
            for g, a in newest.items()
        )

    def _check_reason(self, record: Any) -> None:
        """A packet ends for the reason that its receipts show, and not before its bounds are reached."""
        b = self.b
        reason, last, limits = record.reason, b.last, b.opened.limits
        if last.kind == "opened":
            must(reason == (self.why_not or "budget-spent"), "ended at once for another reason than there was:", reason)
        if reason == "packet-expired":
            must(last.kind == "deadline" and self.now >= self.due_ms, "expired without a deadline")
        elif reason == "approval-expired":
            must(last.kind == "deadline" and last.record.about == b.question.question, "expired without a deadline")
        elif reason == "approval-denied":
            must(b.denied, "denied by nobody")
        elif reason == "equivocation":
            must(any(a.equivocated for a in b.asks.values()), "equivocation by nobody")
        elif reason == "packet-objected":
            must(last.kind == "objection", "objected by nobody")
        elif reason == "task-objected":
            must(last.kind == "objection" and b.objections > limits.objections_max, "objections were left")
        elif reason == "task-refused":
            self._check_exhausted(record.task, "refused")
        elif reason == "plan-refused":
            must(b.plan_rounds >= limits.attempts_max, "refused although a plan was left")
            key = ("plan", 0, len(b.plan_asks))
            must(any(a.counted == "refused" for a in b.tickets.get(key, [])), "a plan that nobody refused")
        elif reason == "plan-invalid":
            must(b.plan_rounds >= limits.attempts_max, "given up although a plan was left")
            must(last.kind == "plan" and not self._plan_is_valid(last.record), "a plan that was not invalid")
        elif reason == "gate-abstained":
            newest = [a for asks in b.tickets.values() for a in asks if a.record.ask == 2]
            must(any(a.counted == "abstained" for a in newest), "abstained, but not twice")
        elif reason in ("composition-refused", "not-accepted"):
            must(last.kind == "acceptance", "not accepted by nobody")
            refused = any(
                a.counted == "refused" for a in b.tickets.get(("composition", 0, b.compositions[-1].attempt), [])
            )
            must(refused == (reason == "composition-refused"), "the wrong one of two reasons")
        elif reason == "over-bound":
            must(
                b.messages >= limits.messages_max
                or len(b.compositions) >= limits.compositions_max
                or self.facts & {"amended"},
                "over a bound that was not reached",
            )
        elif reason == "budget-spent":
            self._check_spent(record)

    def _check_spent(self, record: Any) -> None:
        """A budget was spent: the one that is named, by the role that is named, at the task that is named."""
        b = self.b
        self.facts.add(f"budget of the {record.budget} spent")
        if record.budget == "workspace":
            must(not b.opened.funded, "no room in the workspace's budget, which had some")
            return
        must(b.opened.funded, "another budget than the workspace's was spent")
        whose = {"packet": 0, "task": record.task, "role": record.role}[record.budget]
        account = (record.budget, whose)
        zero = b.last.kind == "opened" and 0 in self._limits(account)
        must(zero or self._passed_by(account, most(b.roles[record.role])), "ended for a budget that was not spent")
        must(record.budget != "packet" or record.task is None, "the packet's budget ended at a task")

    def _check_exhausted(self, number: int, how: str) -> None:
        b = self.b
        ask = b.builds[number][-1]
        tickets = b.tickets.get(("artifact", number, ask.record.attempt), [])
        must(any(a.counted == how for a in tickets), "a task that nobody refused")
        must(b.tries[number] >= b.opened.limits.attempts_max, "refused although a try was left")

    def _why_not(self) -> str | None:
        """Return why a packet must not begin."""
        b, opened = self.b, self.b.opened
        if opened.rules != 1:
            return "unknown-rules"
        if not opened.gates:
            return "no-gates"
        if len(b.roles) != len(opened.roles):
            return "self-gate"
        if any(g not in b.roles or b.roles[g].kind != "gate" or not b.roles[g].reads for g in opened.gates):
            return "unheld-gate"
        kinds = [r.kind for r in opened.roles]
        if kinds.count("coordinator") != 1:
            return "no-coordinator"
        if "builder" not in kinds:
            return "no-builder"
        gates = [b.roles[g] for g in opened.gates]
        if not any({"artifact", "composition"} & {str(r) for r in g.reads} for g in gates):
            return "no-applicable-gate"
        for gate in gates:
            read = {str(r) for r in gate.reads}
            for author in opened.roles:
                judged = (author.kind == "builder" and read & {"artifact", "composition"}) or (
                    author.kind == "coordinator" and "plan" in read
                )
                if judged and not self._far_enough(gate, author):
                    return "self-gate"
        held = {r for roles in self.keys.values() for r in roles}
        for role in opened.roles:
            if f"{role.kind}:{role.name}" not in held:
                return {"gate": "unheld-gate", "coordinator": "no-coordinator", "builder": "no-builder"}[role.kind]
        rule = opened.approval
        if rule and len({a for a in rule.approvers if f"human:{a}" in held}) < rule.quorum:
            return "not-authorised"
        return "budget-spent" if not opened.funded or any(map(self._has_nothing, opened.roles)) else None

    def _has_nothing(self, role: Any) -> bool:
        """Say whether a limit of 0 stands before a role that costs something."""
        on = [("packet", 0), ("role", role.name)]
        if role.kind == "builder" or "artifact" in role.reads:
            on.append(("task", 0))
        costs = [bool(role.models) or amount > 0 for amount in most(role)]
        return any(limit == 0 and costs[n] for account in on for n, limit in enumerate(self._limits(account)))

    def _far_enough(self, gate: Any, author: Any) -> bool:
        if gate.name == author.name or gate.prior == author.prior:
            return False
        return LEVELS.index(self._level(gate, author)) >= LEVELS.index(self.b.opened.independence)

    def _level(self, gate: Any, author: Any) -> str:
        """Return how far apart two roles are: as far as the two of their models that are nearest."""
        if not gate.models or not author.models:
            return "family" if gate.models or author.models else "prior"
        if {m.name for m in gate.models} & {m.name for m in author.models}:
            return "prior"
        own, others = {m.family for m in gate.models}, {m.family for m in author.models}
        return "model" if None in own | others or own & others else "family"

    def _answered_by(self, record: Any) -> None:
        known = {m.called for m in self.b.roles[record.author].models}
        must(record.model is None or record.model in known, "an answer of a model that its role has not")


def check(world: Any, keys: Mapping[str, frozenset[str]], runner: str) -> set[str]:
    """Check a world's ledger and return what was seen in it."""
    return Checker(world.entries, world.manifests, keys, runner).facts
