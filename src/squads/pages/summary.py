"""A change's verdicts as one Markdown page for a job summary or a comment.

The first line is a hidden mark, so that a comment can be found again and replaced. Everything fits into what GitHub
takes for a comment; what does not fit is left out with a sentence, whole blocks at a time.
"""

from __future__ import annotations

from squads.contracts.finding import Finding
from squads.pages.blocks import (
    Badge,
    Block,
    Code,
    CodeLine,
    Excerpt,
    Line,
    Notice,
    Paragraph,
    Quote,
    Section,
    Table,
    Tone,
)
from squads.pages.changes import clipped
from squads.pages.markdown_writer import block_markdown
from squads.pages.result import GateResult, place_of, words_of
from squads.pages.text import UNANCHORED, counted, one_line, shortened

MARK = "<!-- squads gate -->"
SUMMARY_BYTES_MAX = 65_535
CELL_CHARS_MAX = 300
CONTEXT_LINES = 2
TONES: dict[str, Tone] = {"approved": "good", "refused": "bad", "abstained": "unsure"}


def summary_of(result: GateResult) -> str:
    """Return the page, at most `SUMMARY_BYTES_MAX` bytes of UTF-8."""
    tone: Tone = {0: "good", 1: "bad"}.get(result.outcome.exit_code, "unsure")  # type: ignore[assignment]
    rows: list[tuple[Line, ...]] = []
    for judged in result.judgements:
        said = shortened(one_line(words_of(judged)), CELL_CHARS_MAX)
        rows.append(((judged.gate,), (Badge(judged.verdict.kind, TONES[judged.verdict.kind]),), (said,)))
    blocks: list[Block] = [
        Section("squads gate", (Paragraph((Badge(result.said, tone),)),)),
        Paragraph(("Judged: ", shortened(one_line(result.title), CELL_CHARS_MAX))),
    ]
    if rows:
        blocks.append(Table("Verdicts", ("gate", "verdict", "words"), tuple(rows)))
    if result.unexplained:
        blocks += [Notice("unsure", "Not found out.", (shortened(words, CELL_CHARS_MAX),)) for words in result.words]
    findings = [(j.gate, f) for j in result.judgements for f in j.verdict.findings]
    for gate, finding in findings:
        blocks.append(_finding(result, gate, finding))
    tail = block_markdown(Paragraph(("Packet ", Code(result.outcome.packet), ".")), 2)
    return _fitted(blocks, tail, len(blocks) - len(findings))


def _fitted(blocks: list[Block], tail: str, fixed: int) -> str:
    """Join what fits; the last sentence says how many findings did not."""
    parts = [MARK]
    size = len(MARK) + len(tail.encode()) + 200  # room for the sentence
    for place, block in enumerate(blocks):
        text = block_markdown(block, 2 if place < fixed else 3)
        if size + len(text.encode()) + 2 > SUMMARY_BYTES_MAX:
            left = len(blocks) - max(place, fixed)
            said = f"{counted(left, 'more finding')} left out for want of room; squads gate prints them all."
            if place < fixed:
                said = "The rest is left out for want of room; squads gate prints it all."
            parts.append(block_markdown(Notice("unsure", "Cut.", (said,)), 2))
            break
        parts.append(text)
        size += len(text.encode()) + 2
    return "\n\n".join([*parts, tail]) + "\n"


def _finding(result: GateResult, gate: str, finding: Finding) -> Section:
    tone: Tone = "bad" if finding.severity.weight >= 2 else "unsure"
    blocks: list[Block] = []
    place = finding.location
    if not finding.unanchored and place and place.line and result.line(place.path, place.line) is not None:
        lines = []
        for number in range(max(1, place.line - CONTEXT_LINES), place.line + CONTEXT_LINES + 1):
            text = result.line(place.path, number)
            if text is not None:
                lines.append(CodeLine(clipped(text), number, "bad" if number == place.line else "plain"))
        blocks.append(Excerpt(place.path, tuple(lines)))
    elif finding.evidence.strip():
        blocks.append(Quote(finding.evidence.rstrip(), "Evidence", code=True))
    marked: Line = (" ", Badge(UNANCHORED, "unsure")) if finding.unanchored else ()
    said: Line = (Badge(finding.severity.value, tone), " ", Code(finding.invariant), f", found by {gate}")
    blocks.append(Paragraph((*said, *marked)))
    if finding.satisfy.strip():
        satisfy = finding.satisfy.rstrip()
        blocks.append(Quote(satisfy, "What would satisfy it", code="\n" in satisfy or ";" in satisfy))
    return Section(one_line(f"{place_of(finding)}{finding.message}"), tuple(blocks), tone=tone)
