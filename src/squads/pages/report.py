"""The report of one packet: everything that a page says, as plain values, before it has a form.

Built from receipts and content alone, so that the same moment of a store gives the same report. It must never judge:
what a gate said stands here as the gate said it, and what nobody can read any more is said to be erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from squads.contracts.artifact import Manifest
from squads.contracts.base import Document
from squads.contracts.packet import Packet
from squads.contracts.plan import Acceptance, Objection, Plan, Statement
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
    ArtifactRecord,
    AssignmentRecord,
    CompositionRecord,
    DeadlineRecord,
    FaultRecord,
    FinishRecord,
    ObjectionRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    QuestionRecord,
    TicketRecord,
    VerdictRecord,
    WaiverRecord,
)
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.handover import unseal
from squads.kernel.receipts import Receipt, record_in
from squads.pages.blocks import Tone
from squads.pages.reading import Contents, PacketMoment
from squads.pages.text import counted, decoded, duration, listed, one_line, said_of

D = TypeVar("D", bound=Document)
TONES: Mapping[str, Tone] = {"approved": "good", "refused": "bad", "abstained": "unsure"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One ticket, and the verdict on it once there is one."""

    ticket: TicketRecord
    asked: Receipt
    record: VerdictRecord | None = None
    answered: Receipt | None = None
    verdict: Verdict | None = None
    """None while it is open, and where its words are not there."""
    gone: str = "content erased"
    """What stands in place of words that are not there."""

    @property
    def tone(self) -> Tone:
        """How it looks."""
        return TONES[self.record.decision] if self.record else "plain"

    @property
    def said(self) -> str:
        """The verdict in a few words."""
        if self.record is None:
            return "no verdict"
        if self.record.decision == "refused":
            return f"refused: {said_of(self.record.findings)}"
        if self.record.decision == "abstained":
            return f"abstained: {self.verdict.reason if isinstance(self.verdict, Abstained) else self.gone}"
        if self.record.looked == 0:
            return "had nothing of its kind to read"
        return f"approved: {counted(self.record.looked, 'file')} read"


@dataclass(slots=True, kw_only=True)
class Try:
    """One attempt at a plan, a task's artifact or a composition. Filled while receipts are read, then left alone."""

    reads: str
    task: int
    number: int
    author: str
    subject: str
    receipt: Receipt
    manifest: Manifest | None = None
    parts: tuple[str, ...] = ()
    """What a composition was made of."""
    judged: list[Judged] = field(default_factory=list)
    accepted: bool | None = None
    """What the coordinator's end-to-end check said of a composition."""

    @property
    def last(self) -> list[Judged]:
        """Each gate's last word."""
        return list({j.ticket.gate: j for j in self.judged}.values())

    @property
    def tone(self) -> Tone:
        """Refused by any gate, or not looked at by one, or approved by all that were asked."""
        tones = {j.tone for j in self.last}
        if "bad" in tones or self.accepted is False:
            return "bad"
        return "unsure" if "unsure" in tones else "plain" if "plain" in tones or not tones else "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of work, from being asked for to being answered."""

    who: str
    what: str
    start_ms: int
    end_ms: int | None
    said: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a page says of one packet."""

    moment: PacketMoment
    opened: Opened
    packet: Packet | None
    """None where its words are not there."""
    records: tuple[tuple[Receipt, PacketRecord], ...]
    tries: tuple[Try, ...]
    """In the order of the log."""
    spans: tuple[Span, ...]
    finish: FinishRecord | None
    question: QuestionRecord | None
    answers: tuple[AnswerRecord, ...]
    task_names: Mapping[int, str]
    people: Mapping[str, str]
    """Opaque id to the name that the packet itself gives, as far as it does."""

    @property
    def contents(self) -> Contents:
        """Content by digest."""
        return self.moment.contents

    @property
    def outcome(self) -> str:
        """`composed`, `not-composed`, `halted`, `waiting` or `open`."""
        if self.finish is not None:
            return self.finish.outcome
        if self.moment.stop is not None:
            return "halted"
        return "waiting" if self.question is not None else "open"

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Names of gates that approve without reading."""
        return tuple(r.name for r in self.opened.roles if r.unsafe)

    def document(self, digest: str, kind: type[D]) -> D | None:
        """Return a sealed document, or None where it cannot be read any more."""
        blob = self.contents.get(digest)
        if blob is None:
            return None
        try:
            found, _ = unseal(blob)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, kind) else None

    def person(self, author: str) -> str:
        """Return a person as a page names them: the name where the packet gives it, and the ledger's id."""
        name = self.people.get(author)
        return f"{name} ({author})" if name else author

    def task(self, number: int) -> str:
        """Return what a task is called."""
        return self.task_names.get(number, f"task {number}")

    def attempt(self, tried: Try) -> str:
        """Return what an attempt is called in a sentence."""
        if tried.reads == "artifact":
            only = len(self.task_names) <= 1
            return f"attempt {tried.number}" if only else f"attempt {tried.number} of “{self.task(tried.task)}”"
        return f"{tried.reads} {tried.number}"

    def text_of(self, tried: Try, path: str) -> str | None:
        """Return a file of an attempt as text; None where it is erased, not there, or no text."""
        entry = next((e for e in tried.manifest.files if e.path == path), None) if tried.manifest else None
        content = self.contents.get(entry.digest) if entry else None
        return None if content is None else decoded(content)

    def waiting_for(self) -> str:
        """Return what an open packet waits for, as a sentence; empty once it has ended."""
        if self.finish is not None:
            return ""
        if (stop := self.moment.stop) is not None:
            said = self.document(stop.content, Statement)
            words = f": {one_line(said.text)}" if said else f" ({self.contents.gone})"
            scope = "The whole workspace" if self.moment.stopped_for_all else "This packet"
            return f"{scope} was stopped by {self.person(stop.author)}{words}. A person must lift the stop."
        if (question := self.question) is not None:
            return (
                f"It waits for {question.quorum} of {listed([self.person(p) for p in question.approvers])} to answer."
            )
        waiting = [f"{span.who} ({span.what})" for span in self.spans if span.end_ms is None]
        if waiting:
            return f"It waits for {listed(waiting)}."
        return "It waits for whoever runs it to take it up again."


def report_of(moment: PacketMoment) -> Report:
    """Return the report of a packet at one moment."""
    return _Builder(moment).report()


class _Builder:
    """Reads the packet's receipts once, in order."""

    def __init__(self, moment: PacketMoment) -> None:
        self.moment = moment
        self.records: list[tuple[Receipt, PacketRecord]] = []
        self.tries: dict[tuple[str, int, int], Try] = {}
        self.assigned: dict[str, tuple[Receipt, AssignmentRecord]] = {}
        self.answered: dict[str, tuple[Receipt, str, Tone]] = {}
        self.tickets: dict[str, Judged] = {}
        self.opened: Opened | None = None
        self.packet: Packet | None = None
        self.finish: FinishRecord | None = None
        self.question: QuestionRecord | None = None
        self.answers: list[AnswerRecord] = []
        self.task_names: dict[int, str] = {}

    def report(self) -> Report:
        for receipt in self.moment.receipts:
            record = record_in(receipt)
            assert isinstance(record, PacketRecord)
            self.records.append((receipt, record))
            self._take(receipt, record)
        assert self.opened is not None
        return Report(
            moment=self.moment,
            opened=self.opened,
            packet=self.packet,
            records=tuple(self.records),
            tries=tuple(self.tries.values()),
            spans=tuple(self._spans()),
            finish=self.finish,
            question=self.question,
            answers=tuple(self.answers),
            task_names=self.task_names,
            people=self._people(),
        )

    def _document(self, digest: str, kind: type[D]) -> D | None:
        blob = self.moment.contents.get(digest)
        try:
            found = unseal(blob)[0] if blob is not None else None
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, kind) else None

    def _take(self, receipt: Receipt, record: PacketRecord) -> None:
        match record:
            case Opened():
                self.opened = record
                self.packet = self._document(record.content, Packet)
            case AssignmentRecord():
                self.assigned[record.request] = receipt, record
            case PlanRecord():
                self.answered[record.request] = receipt, "handed in", "plain"
                plan = self._document(record.content, Plan)
                if plan is not None and len(plan.tasks) == len(record.tasks):
                    self.task_names |= {t.task: p.name for t, p in zip(record.tasks, plan.tasks, strict=True)}
                self._try("plan", 0, self._number(record.request), record.author, record.content, receipt)
            case ArtifactRecord():
                self.answered[record.request] = receipt, "handed in", "plain"
                _, asked = self.assigned.get(record.request, (receipt, None))
                made = self._try(
                    "artifact",
                    (asked.task or 0) if asked else 0,
                    self._number(record.request),
                    record.author,
                    record.artifact,
                    receipt,
                )
                made.manifest = self.moment.contents.manifest(record.artifact)
            case CompositionRecord():
                made = self._try("composition", 0, record.attempt, "runner", record.artifact, receipt)
                made.manifest = self.moment.contents.manifest(record.artifact)
                made.parts = tuple(p.artifact for p in record.parts)
            case TicketRecord():
                judged = Judged(ticket=record, asked=receipt)
                self.tickets[record.ticket] = judged
                if tried := self.tries.get((record.reads.value, record.task or 0, record.attempt)):
                    tried.judged.append(judged)
            case VerdictRecord():
                self._verdict(receipt, record)
            case _:
                self._take_other(receipt, record)

    def _take_other(self, receipt: Receipt, record: PacketRecord) -> None:
        match record:
            case ObjectionRecord():
                self.answered[record.request] = receipt, "objected", "bad"
            case AcceptanceRecord():
                said = self._document(record.content, Acceptance)
                refused = bool(record.reopen) or not all(h.holds for h in record.held) or bool(said and said.reasons)
                self.answered[record.request] = receipt, "refused" if refused else "found nothing against it", "plain"
                for tried in self.tries.values():
                    if tried.reads == "composition" and tried.subject == record.subject:
                        tried.accepted = not refused
            case FaultRecord():
                self.answered[record.about] = receipt, f"no usable answer ({record.reason})", "unsure"
            case DeadlineRecord():
                self.answered[record.about] = receipt, "the deadline was reached", "unsure"
            case QuestionRecord():
                self.question = record
            case AnswerRecord():
                self.answers.append(record)
            case FinishRecord():
                self.finish = record
            case _:
                pass

    def _number(self, request: str) -> int:
        _, asked = self.assigned.get(request, (None, None))
        return asked.attempt if asked else 1

    def _try(self, reads: str, task: int, number: int, author: str, subject: str, receipt: Receipt) -> Try:
        made = Try(reads=reads, task=task, number=number, author=author, subject=subject, receipt=receipt)
        self.tries[reads, task, number] = made
        return made

    def _verdict(self, receipt: Receipt, record: VerdictRecord) -> None:
        asked = self.tickets.get(record.ticket)
        if asked is None:
            return
        said = self._document(record.content, Document)
        verdict = said if isinstance(said, (Approved, Refused, Abstained)) else None
        judged = Judged(
            ticket=asked.ticket,
            asked=asked.asked,
            record=record,
            answered=receipt,
            verdict=verdict,
            gone=self.moment.contents.gone,
        )
        self.tickets[record.ticket] = judged
        for tried in self.tries.values():
            tried.judged = [judged if j.ticket.ticket == record.ticket else j for j in tried.judged]

    def _people(self) -> dict[str, str]:
        rule, named = (self.opened.approval if self.opened else None), (self.packet.approval if self.packet else None)
        if rule is None or named is None or len(rule.approvers) != len(named.approvers):
            return {}
        # The packet names people, its receipt only their ids: both list them in one order.
        return dict(zip(rule.approvers, named.approvers, strict=True))

    def _spans(self) -> list[Span]:
        found: list[tuple[int, Span]] = []
        for request, (receipt, record) in self.assigned.items():
            done = self.answered.get(request)
            task = f" “{self.task_names.get(record.task, record.task)}”" if record.task else ""
            words = {"plan": "plan", "build": f"build{task}", "accept": "end-to-end check"}[record.work]
            said, tone = (done[1], done[2]) if done else ("open", "plain")
            end = done[0].time_ms if done else self._ended()
            what = f"{words}, attempt {record.attempt}"
            span = Span(who=record.role, what=what, start_ms=receipt.time_ms, end_ms=end, said=said, tone=tone)
            found.append((receipt.seq, span))
        for ticket, judged in self.tickets.items():
            done = self.answered.get(ticket)
            end = judged.answered.time_ms if judged.answered else done[0].time_ms if done else self._ended()
            said = judged.said if judged.record else done[1] if done else "open"
            tone = judged.tone if judged.record else done[2] if done else "plain"
            asked = judged.ticket
            task = f" of “{self.task_names.get(asked.task, asked.task)}”" if asked.task else ""
            what = f"read {asked.reads.value} {asked.attempt}{task}" + (", asked once more" if asked.ask > 1 else "")
            span = Span(who=asked.gate, what=what, start_ms=judged.asked.time_ms, end_ms=end, said=said, tone=tone)
            found.append((judged.asked.seq, span))
        return [span for _, span in sorted(found, key=lambda f: f[0])]

    def _ended(self) -> int | None:
        return self.moment.receipts[-1].time_ms if self.finish else None


def waivers_of(report: Report) -> list[tuple[Receipt, WaiverRecord, Statement | None]]:
    """Return every waiver of the packet with its words."""
    return [(r, w, report.document(w.content, Statement)) for r, w in report.records if isinstance(w, WaiverRecord)]


def objections_of(report: Report, record: ObjectionRecord) -> Objection | None:
    """Return an objection's words."""
    return report.document(record.content, Objection)


def took(report: Report) -> str:
    """Return how long the packet has been going, from its first receipt to its last."""
    return duration(report.moment.receipts[-1].time_ms - report.moment.receipts[0].time_ms)
