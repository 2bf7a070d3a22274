"""The story of a packet in plain sentences, one for each thing that happened, in the order of the log.

Every sentence rests on a receipt and says no more than it; words of roles and people are quoted as theirs.
"""

from __future__ import annotations

from squads.contracts.plan import Acceptance, Plan, Statement
from squads.contracts.reasons import EXPLAINED
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
    ArtifactRecord,
    CompositionRecord,
    DeadlineRecord,
    EquivocationRecord,
    FaultRecord,
    FinishRecord,
    ObjectionRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    QuestionRecord,
    VerdictRecord,
    WaiverRecord,
)
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.kernel.receipts import Receipt
from squads.pages.blocks import Badge, Code, Inline, Line, Strong
from squads.pages.changes import changed_between, earlier
from squads.pages.report import Report, Try, objections_of
from squads.pages.text import counted, listed, moment, one_line, short, shortened

WORDS_CHARS_MAX = 300
"""How much of somebody's words one sentence quotes; the whole of a finding stands below its source line."""
CHANNELS = {
    "terminal": "at a terminal",
    "page": "on a page",
    "chat": "in a chat",
    "program": "through a program, which is not a person",
    "flag": "by flag, which is not a person",
}


def story_of(report: Report) -> list[Line]:
    """Return the sentences."""
    told = (_told(report, receipt, record) for receipt, record in report.records)
    lines = [line for line in told if line]
    if waiting := report.waiting_for():
        lines.append((Badge("still open", "unsure"), " ", waiting))
    return lines


def _quoted(text: str) -> str:
    return f"“{shortened(one_line(text), WORDS_CHARS_MAX)}”"


def _told(report: Report, receipt: Receipt, record: PacketRecord) -> Line:
    match record:
        case Opened():
            return _opened(report, receipt, record)
        case PlanRecord():
            return _plan(report, record)
        case ArtifactRecord():
            return _artifact(report, receipt, record)
        case VerdictRecord():
            return _verdict(report, receipt, record)
        case CompositionRecord():
            parts = counted(len(record.parts), "approved artifact")
            return ("The runner made composition ", str(record.attempt), f" of {parts}: ", Code(short(record.artifact)))
        case FinishRecord():
            badge = Badge("composed", "good") if record.outcome == "composed" else Badge("not composed", "bad")
            if record.outcome == "composed":
                return (badge, f" It ended: {EXPLAINED['composed']}.")
            where = f" at “{report.task(record.task)}”" if record.task else ""
            return (badge, f" It ended{where} with the reason ", Code(record.reason), f": {EXPLAINED[record.reason]}.")
        case _:
            return _told_other(report, record)


def _told_other(report: Report, record: PacketRecord) -> Line:
    match record:
        case ObjectionRecord():
            said = objections_of(report, record)
            why = report.contents.gone
            if said:
                why = f"{_quoted('; '.join(said.reasons))}; it proposes {_quoted(said.proposal)}"
            return (Strong(record.author), " ", Badge("objected", "bad"), f": {why}.")
        case AcceptanceRecord():
            return _acceptance(report, record)
        case QuestionRecord():
            asked = listed([report.person(p) for p in record.approvers])
            until = moment(record.expires_ms)
            return (f"{record.quorum} of {asked} must say yes to exactly these bytes until {until}; expiry refuses.",)
        case AnswerRecord():
            why = _statement(report, record.content) if record.content else ""
            badge = Badge("approved", "good") if record.decision == "approved" else Badge("denied", "bad")
            return (Strong(report.person(record.author)), " ", badge, f" it {CHANNELS[record.channel]}{why}.")
        case WaiverRecord():
            why = _statement(report, record.content)
            about = short(record.subject)
            person = Strong(report.person(record.author))
            return (person, f" signed a waiver that {record.gate} may cite once, for ", Code(about), f"{why}.")
        case FaultRecord():
            who = _asked_about(report, record.about)
            return (Strong(who), f" gave no usable answer: {record.reason}.")
        case DeadlineRecord():
            return ("A deadline was reached: ", Strong(_asked_about(report, record.about)), ".")
        case EquivocationRecord():
            return (Strong(record.author), " gave ", Badge("two different answers", "bad"), " to one question.")
        case _:
            return ()


def _statement(report: Report, digest: str) -> str:
    words = report.document(digest, Statement)
    return f": {_quoted(words.text)}" if words else f" ({report.contents.gone})"


def _opened(report: Report, receipt: Receipt, record: Opened) -> Line:
    who = listed([report.person(r.removeprefix("human:")) for r in report.moment.signers[receipt.seq]])
    gates = listed(list(record.gates))
    after = f" It follows packet {record.follows}." if record.follows else ""
    return (Strong(f"The {who}" if who == "program" else who), f" asked for this work and required {gates}.{after}")


def _plan(report: Report, record: PlanRecord) -> Line:
    plan = report.document(record.content, Plan)
    known = plan.tasks if plan and len(plan.tasks) == len(record.tasks) else None
    tasks = [
        f"{_quoted(known[n].name) if known else report.task(task.task)} for {task.builder}"
        for n, task in enumerate(record.tasks)
    ]
    return (Strong(record.author), f" cut it into {counted(len(tasks), 'task')}: {listed(tasks[:12])}.")


def _artifact(report: Report, receipt: Receipt, record: ArtifactRecord) -> Line:
    tried = next((t for t in report.tries if t.receipt.seq == receipt.seq), None)
    if tried is None:
        return ()
    parts: list[Inline] = [Strong(record.author), f" handed in {report.attempt(tried)}"]
    parts.append(f": {_files(tried)}." if tried.manifest else f"; {report.contents.gone}.")
    before = earlier(report, tried)
    if before is not None and tried.manifest and before.manifest:
        parts.append(f" Since {report.attempt(before)}: {changed_between(before, tried)}.")
    return tuple(parts)


def _files(tried: Try) -> str:
    assert tried.manifest is not None
    names = [one_line(e.path) for e in tried.manifest.files]
    shown = [*names[:5], *([f"{len(names) - 5:,} more"] if len(names) > 5 else [])]
    said = f"{counted(len(names), 'file')} ({listed(shown)})" if names else ""
    removed = counted(len(tried.manifest.removals), "removal") if tried.manifest.removals else ""
    return " and ".join(part for part in (said, removed) if part)


def _verdict(report: Report, receipt: Receipt, record: VerdictRecord) -> Line:
    found = next(((t, j) for t in report.tries for j in t.judged if j.answered and j.answered.seq == receipt.seq), None)
    if found is None:
        return ()
    tried, judged = found
    about = report.attempt(tried)
    who = Strong(record.author)
    match judged.verdict:
        case Refused():
            first = judged.verdict.findings[0]
            where = f" at {one_line(str(first.location))}" if first.location else ""
            more = len(judged.verdict.findings) - 1
            rest = f", and {counted(more, 'more finding')}" if more else ""
            return (
                who,
                " ",
                Badge("refused", "bad"),
                f" {about}: {_quoted(first.message)}{where}{rest}{_votes(judged.verdict)}.",
            )
        case Abstained():
            return (
                who,
                " ",
                Badge("abstained", "unsure"),
                f" on {about}: {_quoted(judged.verdict.reason)}{_votes(judged.verdict)}.",
            )
        case Approved():
            if judged.verdict.looked == 0:
                return (who, f" had nothing of its kind to read in {about}.")
            notes = counted(len(judged.verdict.notes), "note")
            noted = f", with {notes}" if judged.verdict.notes else ""
            cited = ", citing a waiver" if judged.verdict.waivers else ""
            read = counted(judged.verdict.looked, "file")
            return (
                who,
                " ",
                Badge("approved", "good"),
                f" {about} ({read} read{noted}{cited}){_votes(judged.verdict)}.",
            )
        case None:
            return (who, " ", Badge(record.decision, judged.tone), f" {about}; its words: {report.contents.gone}.")


def _votes(verdict: Verdict) -> str:
    """Return what each member of a panel said; empty for a single gate."""
    return f"; its members: {listed([f'{m.name} {m.decision}' for m in verdict.members])}" if verdict.members else ""


def _acceptance(report: Report, record: AcceptanceRecord) -> Line:
    said = report.document(record.content, Acceptance)
    who = Strong(record.author)
    tasks = listed([f"“{report.task(n)}”" for n in record.reopen]) if record.reopen else ""
    failing = [h.predicate for h in record.held if not h.holds]
    reasons = f": {_quoted('; '.join(said.reasons))}" if said and said.reasons else ""
    if not (tasks or failing or reasons):
        return (who, " checked the composition end to end and found nothing against it.")
    again = f", re-opening {tasks}" if tasks else ""
    unmet = f"; not met: {listed(failing)}" if failing else ""
    return (who, " ", Badge("did not accept", "bad"), f" the composition{again}{unmet}{reasons}.")


def _asked_about(report: Report, about: str) -> str:
    for _, record in report.records:
        if getattr(record, "request", None) == about and hasattr(record, "role"):
            return str(getattr(record, "role", ""))
        if getattr(record, "ticket", None) == about and hasattr(record, "gate"):
            return str(getattr(record, "gate", ""))
        if getattr(record, "question", None) == about:
            return "the people who were asked"
    return "the packet"
