"""Findings where they belong: the lines of the file around the place, the finding below them, what would satisfy it."""

from __future__ import annotations

from squads.contracts.finding import Finding
from squads.pages.blocks import Badge, Block, Code, CodeLine, Excerpt, Line, Notice, Paragraph, Quote, Section
from squads.pages.changes import clipped
from squads.pages.report import Judged, Report, Try
from squads.pages.text import UNANCHORED, counted, one_line

FINDINGS_SHOWN_MAX = 100
CONTEXT_LINES = 3
"""Lines shown before and after the place."""
MARKED_LINES_MAX = 20
"""Lines of one place that are shown."""


def findings_of(report: Report) -> list[Block]:
    """Return one section for each attempt that has findings, abstentions, or words that were erased."""
    blocks: list[Block] = []
    shown = left = 0
    for tried in report.tries:
        inner: list[Block] = []
        for judged in tried.judged:
            if judged.record is None:
                continue
            if judged.record.decision == "abstained":
                line: Line = (Code(judged.ticket.gate), " could not look: ", judged.said.removeprefix("abstained: "))
                inner.append(Notice("unsure", "Not looked at.", line))
            if judged.verdict is None and judged.record.findings.total:
                said = f"{counted(judged.record.findings.total, 'finding')}: {report.contents.gone}"
                inner.append(Notice("unsure", "Not there.", (f"{judged.ticket.gate} had {said}.",)))
            for finding in judged.verdict.findings if judged.verdict else ():
                if shown >= FINDINGS_SHOWN_MAX:
                    left += 1
                    continue
                shown += 1
                inner.append(_finding(report, tried, judged, finding))
        if inner:
            title = report.attempt(tried)
            title = f"{title[0].upper()}{title[1:]}, by {tried.author}"
            blocks.append(Section(title, tuple(inner)))
    if left:
        said = f"{counted(left, 'more finding')} left out here; the verdicts in the store hold them all."
        blocks.append(Notice("unsure", "Not everything is shown.", (said,)))
    return blocks


def _finding(report: Report, tried: Try, judged: Judged, finding: Finding) -> Section:
    refusing = judged.record is not None and judged.record.decision == "refused"
    tone = "bad" if refusing and finding.severity.weight >= 2 else "unsure" if refusing else "plain"
    where = f"{one_line(str(finding.location))}: " if finding.location else ""
    blocks: list[Block] = []
    # Lines around a place that does not hold the evidence would pass for the evidence.
    excerpt = None if finding.unanchored else _excerpt(report, tried, finding)
    if excerpt is not None:
        blocks.append(excerpt)
    elif finding.evidence.strip():
        blocks.append(Quote(finding.evidence.rstrip(), "Evidence", code=True))
    said: Line = (
        Badge(finding.severity.value, tone),  # type: ignore[arg-type]
        " ",
        Code(finding.invariant),
        f", found by {judged.ticket.gate}",
        *((" ", Badge(UNANCHORED, "unsure")) if finding.unanchored else ()),
    )
    blocks.append(Paragraph(said))
    if finding.satisfy.strip():
        satisfy = finding.satisfy.rstrip()
        blocks.append(Quote(satisfy, "What would satisfy it", code="\n" in satisfy or ";" in satisfy))
    return Section(f"{where}{one_line(finding.message)}", tuple(blocks), tone=tone)  # type: ignore[arg-type]


def _excerpt(report: Report, tried: Try, finding: Finding) -> Excerpt | None:
    """Return the lines around a finding's place; None where it has none, or its file cannot be read."""
    place = finding.location
    if place is None or place.line is None:
        return None
    text = report.text_of(tried, place.path)
    if text is None:
        return None
    lines = text.split("\n")
    if place.line > len(lines):
        return None
    end = min(place.end_line or place.line, place.line + MARKED_LINES_MAX - 1, len(lines))
    first, last = max(1, place.line - CONTEXT_LINES), min(len(lines), max(end, place.line) + CONTEXT_LINES)
    shown = tuple(
        CodeLine(clipped(lines[n - 1].rstrip("\r")), n, "bad" if place.line <= n <= max(end, place.line) else "plain")
        for n in range(first, last + 1)
    )
    return Excerpt(place.path, shown)
