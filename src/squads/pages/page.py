"""From a report to a page: which sections there are, and what stands in each. Both writers start from this.

A reader must be able to stop after the first screen and know how it ended; whoever reads on finds why, and whoever
doubts finds how to check it without us.
"""

from __future__ import annotations

import shlex

from squads.contracts.packet import Packet
from squads.contracts.reasons import EXPLAINED
from squads.contracts.records import AcceptanceRecord, RoleRecord
from squads.kernel.receipts import Receipt
from squads.pages.blocks import (
    Badge,
    Block,
    Code,
    CodeLine,
    Excerpt,
    Figure,
    Items,
    Line,
    Notice,
    Page,
    Paragraph,
    Quote,
    Section,
    Strong,
    Table,
)
from squads.pages.changes import differences, earlier
from squads.pages.drawing import BARS_SHOWN_MAX, gate_marks, graph_of, graph_svg, timeline_svg
from squads.pages.findings import findings_of
from squads.pages.report import Report, Try, took, waivers_of
from squads.pages.story import story_of
from squads.pages.text import counted, duration, listed, moment, one_line, short, shortened

STORY_LINES_MAX = 200
RECEIPTS_SHOWN_MAX = 500
BRIEF_CHARS_SHOWN_MAX = 8_000
TITLE_CHARS_MAX = 120
BADGES = {
    "composed": Badge("Composed", "good"),
    "not-composed": Badge("Not composed", "bad"),
    "halted": Badge("Halted", "unsure"),
    "waiting": Badge("Waiting for people", "unsure"),
    "open": Badge("Still open", "unsure"),
}


def page_of(report: Report) -> Page:
    """Return the page of a report."""
    brief = report.packet.brief if report.packet else report.contents.gone
    asked = Section("What was asked", tuple(_asked(report)), "asked")
    rest = [
        Section("Findings", tuple(findings_of(report)) or (Paragraph(("No gate had a finding.",)),), "findings"),
        Section("What changed between attempts", tuple(_changes(report)), "changes"),
        Section("Attempts and verdicts", tuple(_attempts(report)), "attempts"),
        Section("Timeline", tuple(_timeline(report)), "timeline"),
        Section("Roles and budget", tuple(_roles(report)), "roles"),
        Section("Receipts", tuple(_receipts(report)), "receipts"),
        Section("How to check this page", tuple(_check(report)), "check"),
    ]
    # Last, because only now everything was read that may turn out to be erased.
    made = [asked, Section("What happened", tuple(_happened(report)), "story"), *rest]
    head = report.moment.checkpoint
    return Page(
        title=shortened(one_line(brief), TITLE_CHARS_MAX),
        verdict=BADGES[report.outcome],
        lead=_lead(report),
        sections=tuple(section for section in made if section.blocks),
        footer=(
            ("Ledger ", Code(head.origin), f", {counted(head.size, 'receipt')}, root ", Code(head.root.hex())),
            (
                "Packet ",
                Code(report.moment.packet),
                f", receipts {report.records[0][0].seq} to {report.records[-1][0].seq}",
                ", opened with content ",
                Code(report.opened.content),
            ),
            ("Written by squads from these receipts and their content alone; the same store gives the same page.",),
        ),
    )


def _lead(report: Report) -> Line:
    if report.finish is None:
        return (report.waiting_for(),)
    rounds = counted(len(report.tries), "attempt")
    refused = sum(t.tone == "bad" for t in report.tries)
    reason = EXPLAINED[report.finish.reason]
    return (
        f"{reason[0].upper()}{reason[1:]}. It took {rounds} in all, {refused} of them refused, and {took(report)}.",
    )


def _asked(report: Report) -> list[Block]:
    packet, opened = report.packet, report.opened
    blocks: list[Block] = []
    if report.unsafe:
        names = listed(list(report.unsafe))
        said = f"{names} approves without reading. An approval by it says nothing about these bytes."
        blocks.append(Notice("bad", "Nobody looked through an unsafe gate.", (said,)))
    if packet is None:
        said = f"Its commitment was {opened.content}."
        blocks.append(Notice("unsure", f"The brief: {report.contents.gone}.", (said,)))
    else:
        blocks.append(Quote(shortened(packet.brief, BRIEF_CHARS_SHOWN_MAX), "The brief"))
    if opened.predicates:
        blocks.append(_done_when(report, packet))
    blocks.append(Paragraph(("Required gates: ", Strong(listed(list(opened.gates))), ".")))
    if opened.approval:
        people = listed([report.person(p) for p in opened.approval.approvers])
        only = ", and only a person's own answer counts" if opened.approval.person_required else ""
        blocks.append(Paragraph((f"{opened.approval.quorum} of {people} must approve the composition{only}.",)))
    return blocks


def _done_when(report: Report, packet: Packet | None) -> Table:
    known = {p.id: p for p in packet.done_when} if packet else {}
    held = {h.predicate: h for _, r in report.records if isinstance(r, AcceptanceRecord) for h in r.held}
    rows: list[tuple[Line, ...]] = []
    for name in report.opened.predicates:
        predicate, answer = known.get(name), held.get(name)
        said = Badge("holds", "good") if answer and answer.holds else Badge("does not hold", "bad")
        rows.append(
            (
                (Code(name),),
                (one_line(predicate.sentence) if predicate else report.contents.gone,),
                (predicate.check or "the coordinator" if predicate else report.contents.gone,),
                (said,) if answer else ("not answered",),
                (Code(short(answer.evidence)),) if answer else ("",),
            )
        )
    return Table("Done when", ("predicate", "what must be true", "answered by", "answer", "evidence"), tuple(rows))


def _happened(report: Report) -> list[Block]:
    lines = story_of(report)
    blocks: list[Block] = [Items(tuple(lines[:STORY_LINES_MAX]), numbered=True)]
    if len(lines) > STORY_LINES_MAX:
        left = counted(len(lines) - STORY_LINES_MAX, "more event")
        blocks.append(Notice("unsure", "Not everything is told.", (f"{left} left out; see the receipts.",)))
    if lost := len(report.contents.missing - report.contents.erased):
        said = "No receipt says that it was erased. Run squads verify, and restore the ledger from a copy."
        blocks.append(Notice("bad", f"Content lost: {counted(lost, 'blob')} of this packet gone.", (said,)))
    if erased := len(report.contents.missing & report.contents.erased):
        said = "The receipts still commit to it, and nothing on this page was guessed in its place."
        blocks.append(Notice("unsure", f"Content erased: {counted(erased, 'blob')} of this packet gone.", (said,)))
    if report.contents.changed:
        said = "Content that does not have its digest is not shown. Run squads verify."
        blocks.append(Notice("bad", "Content was changed after it was stored.", (said,)))
    return blocks


def _changes(report: Report) -> list[Block]:
    blocks: list[Block] = []
    for tried in report.tries:
        before = earlier(report, tried)
        if before is None or tried.reads == "plan" or not tried.manifest or not before.manifest:
            continue
        if shown := differences(report, before, tried):
            blocks.append(Section(f"From {report.attempt(before)} to {report.attempt(tried)}", tuple(shown)))
    return blocks


def _attempts(report: Report) -> list[Block]:
    graph, gone = graph_of(report), report.contents.gone
    blocks: list[Block] = [Figure(graph_svg(graph), "Every attempt, what it was made from, and each gate's last word.")]
    if graph.left_out:
        blocks.append(Paragraph((f"{counted(graph.left_out, 'more attempt')} left out of the drawing.",)))
    rows: list[tuple[Line, ...]] = [
        (
            (report.attempt(t),),
            (t.author,),
            (Code(short(t.subject)),),
            (counted(len(t.manifest.files), "file") if t.manifest else gone if t.reads != "plan" else "",),
            (Badge(_stood(t), t.tone),),
            (gate_marks(t),),
        )
        for t in report.tries[:RECEIPTS_SHOWN_MAX]
    ]
    if rows:
        head = ("attempt", "author", "digest", "size", "stood", "gates' last words")
        blocks.append(Table("Attempts", head, tuple(rows)))
    reached: list[tuple[Line, ...]] = [
        (
            (j.ticket.gate,),
            (report.attempt(t),),
            (Badge(j.record.decision, j.tone),),
            (j.record.independence,),
            (j.record.model or "",),
            (Code(short(j.record.saw)),),
        )
        for t in report.tries
        for j in t.judged
        if j.record
    ]
    if reached:
        caption = "Verdicts, with the independence that each gate had from those it judged, and the model that answered"
        columns = ("gate", "read", "verdict", "independence", "model", "saw")
        blocks.append(Table(caption, columns, tuple(reached[:RECEIPTS_SHOWN_MAX])))
    if waivers := waivers_of(report):
        blocks.append(
            Table(
                "Waivers: signed statements that a gate may cite; the gate still signs its own verdict",
                ("by", "gate", "for", "until", "words"),
                tuple(
                    (
                        (report.person(w.author),),
                        (w.gate,),
                        (Code(short(w.subject)),),
                        (moment(w.expires_ms),),
                        (one_line(said.text) if said else report.contents.gone,),
                    )
                    for _, w, said in waivers
                ),
            )
        )
    return blocks


def _stood(tried: Try) -> str:
    if not tried.judged:
        return "no gate reads it"
    return {"good": "approved", "bad": "refused", "unsure": "not looked at"}.get(tried.tone, "open")


def _timeline(report: Report) -> list[Block]:
    start, end = report.records[0][0].time_ms, report.records[-1][0].time_ms
    if not report.spans:
        return []
    rows: list[tuple[Line, ...]] = []
    for span in report.spans[:BARS_SHOWN_MAX]:
        length = duration(span.end_ms - span.start_ms) if span.end_ms is not None else "still open"
        rows.append(
            (
                (span.who,),
                (span.what,),
                (duration(span.start_ms - start),),
                (length,),
                (Badge(shortened(one_line(span.said), 60), span.tone),),
            )
        )
    blocks: list[Block] = [
        Paragraph((f"From {moment(start)} to {moment(end)}, {duration(end - start)}.",)),
        Figure(timeline_svg(report.spans, start, end), "One bar for each piece of work, from request to answer."),
        Table("The same as a table", ("who", "what", "asked after", "took", "how it ended"), tuple(rows)),
    ]
    if len(report.spans) > BARS_SHOWN_MAX:
        left = counted(len(report.spans) - BARS_SHOWN_MAX, "more piece")
        blocks.append(Paragraph((f"{left} of work left out; see the receipts.",)))
    return blocks


def _models(role: RoleRecord) -> str:
    """Return which models may answer for a role, those of a panel's members included."""
    members = (model for member in role.members for model in member.models)
    named = dict.fromkeys(model.called for model in (*role.models, *members))
    return ", ".join(named) or "code"


def _roles(report: Report) -> list[Block]:
    opened = report.opened
    rows: list[tuple[Line, ...]] = [
        (
            (r.name,),
            (r.kind,),
            (Code(short(r.prior)),),
            (_models(r),),
            (Badge("approves without reading", "bad"),) if r.unsafe else (f"from {r.refuse_at.value}",),
        )
        if r.kind == "gate"
        else ((r.name,), (r.kind,), (Code(short(r.prior)),), (_models(r),), ("",))
        for r in opened.roles
    ]
    blocks: list[Block] = [
        Table("Roles, frozen when the packet was opened", ("role", "kind", "prior", "model", "refuses"), tuple(rows))
    ]
    if report.moment.spent:
        blocks.append(_spent(report))
    blocks.append(Paragraph((f"{_used(report)} Gates must be independent by {opened.independence}.",)))
    return blocks


def _spent(report: Report) -> Table:
    rows: list[tuple[Line, ...]] = [
        (
            (spender.role,),
            (f"{spender.usage.tokens:,}",),
            (f"${spender.usage.cost_microusd / 1_000_000:,.4f}",),
            (f"{spender.usage.wait_ms / 1000:,.1f} s",),
            (f"{spender.usage.calls:,}",),
        )
        for spender in report.moment.spent
    ]
    return Table("What each role spent", ("role", "tokens", "money", "models took", "replies"), tuple(rows))


def _used(report: Report) -> str:
    budget, usage = report.opened.budget, report.moment.usage
    if usage is None:
        return "What was spent is not known: the rules could not be replayed."
    tokens = f" of {budget.tokens_max:,}" if budget.tokens_max is not None else ", without a limit"
    money = f" of {budget.cost_microusd_max:,}" if budget.cost_microusd_max is not None else ", without a limit"
    return f"Used: {usage.tokens:,} tokens{tokens}; {usage.cost_microusd:,} millionths of a US dollar{money}."


def _receipts(report: Report) -> list[Block]:
    half = RECEIPTS_SHOWN_MAX // 2
    records = list(report.records)
    left = max(0, len(records) - RECEIPTS_SHOWN_MAX)
    shown = records if not left else [*records[:half], *records[-half:]]
    rows: list[tuple[Line, ...]] = [
        (
            (str(receipt.seq),),
            (moment(receipt.time_ms),),
            (receipt.kind,),
            (listed(list(report.moment.signers[receipt.seq])),),
            (Code(short(receipt.digest)),),
            _about(receipt),
        )
        for receipt, _ in shown
    ]
    blocks: list[Block] = []
    if left:
        blocks.append(Paragraph((f"The first and the last {half:,}; {counted(left, 'receipt')} between left out.",)))
    head = ("number", "time", "kind", "signed as", "digest", "about")
    blocks.append(Table("Receipts of this packet; the index is the place in the log", head, tuple(rows)))
    return blocks


def _about(receipt: Receipt) -> Line:
    for name, digest in receipt.subjects[:1]:
        return (f"{name} ", Code(short(digest)))
    return ("",)


def _check(report: Report) -> list[Block]:
    moment_ = report.moment
    replayed = (
        f"The rules were not replayed: {moment_.unreplayed}."
        if moment_.unreplayed
        else "The rules were replayed over them and gave every output that stands in the ledger."
    )
    blocks: list[Block] = []
    finals = [t for t in report.tries if t.reads == "composition"]
    if report.finish and report.finish.artifact:
        blocks.append(Paragraph(("The composed artifact is ", Code(report.finish.artifact), ".")))
    elif finals:
        blocks.append(Paragraph(("The newest composition is ", Code(finals[-1].subject), ".")))
    blocks += [
        Paragraph(
            (
                f"When this page was written, the signatures of all {counted(len(report.records), 'receipt')} of the "
                f"packet were checked. {replayed} ",
                "That these receipts stand in the ledger under the root below, and that the ledger was not cut or "
                "forked, is for this command to say, on any machine that has the store:",
            )
        ),
        Excerpt("verify", (CodeLine(f"squads verify {shlex.quote(moment_.store)}"),)),
        Paragraph(
            (
                "It derives every frame, link, signature, role and checkpoint again, replays the rules, compares the "
                "result with the checkpoint that is kept outside the store, and prints the root. "
                "The root must be the one of this page, or the page is older than the ledger.",
            )
        ),
        Excerpt("checkpoint", tuple(CodeLine(line) for line in moment_.note.rstrip("\n").split("\n"))),
    ]
    return blocks
