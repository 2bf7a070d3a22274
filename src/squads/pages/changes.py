"""What differs between two attempts at one thing: named by digests, shown as lines, bounded.

A difference of long texts takes time that grows with the product of their lengths, so past a bound only the names are
compared; the page says so.
"""

from __future__ import annotations

import difflib

from squads.pages.blocks import Block, CodeLine, Excerpt, Paragraph
from squads.pages.report import Report, Try
from squads.pages.text import counted, listed, one_line

FILES_SHOWN_MAX = 20
"""Files of one attempt whose differences are shown."""
LINES_SHOWN_MAX = 200
"""Lines of one file's difference that are shown."""
LINES_COMPARED_MAX = 3_000
"""A file with more lines than this is named and not compared."""
CHARS_COMPARED_MAX = 400_000
"""The same for characters."""
LINE_CHARS_MAX = 500
"""How much of one line is shown."""


def earlier(report: Report, tried: Try) -> Try | None:
    """Return the attempt before this one at the same thing, or None."""
    own = [t for t in report.tries if (t.reads, t.task) == (tried.reads, tried.task) and t.number < tried.number]
    return max(own, key=lambda t: t.number, default=None)


def changed_between(before: Try, after: Try) -> str:
    """Return which files changed, in a few words."""
    old, new = _digests(before), _digests(after)
    parts = []
    for word, paths in (
        ("changed", [p for p in new if p in old and new[p] != old[p]]),
        ("added", [p for p in new if p not in old]),
        ("dropped", [p for p in old if p not in new]),
    ):
        if paths:
            shown = [one_line(p) for p in paths[:5]]
            more = [f"{len(paths) - 5:,} more"] if len(paths) > 5 else []
            parts.append(f"{word} {listed([*shown, *more])}")
    return "; ".join(parts) or "the same bytes"


def differences(report: Report, before: Try, after: Try) -> list[Block]:
    """Return the changed files' differences as excerpts, and a sentence for what is left out."""
    old, new = _digests(before), _digests(after)
    paths = [p for p in sorted({*old, *new}) if old.get(p) != new.get(p)]
    blocks: list[Block] = []
    for path in paths[:FILES_SHOWN_MAX]:
        first = report.text_of(before, path) if path in old else ""
        second = report.text_of(after, path) if path in new else ""
        if first is None or second is None:
            blocks.append(Paragraph((f"{path}: gone or no text, so its lines are not shown.",)))
            continue
        if any(len(t) > CHARS_COMPARED_MAX or t.count("\n") > LINES_COMPARED_MAX for t in (first, second)):
            bound = f"more than {LINES_COMPARED_MAX:,} lines or {CHARS_COMPARED_MAX:,} characters"
            blocks.append(Paragraph((f"{path}: {bound}, so not compared.",)))
            continue
        blocks.append(_difference(path, first, second))
    if len(paths) > FILES_SHOWN_MAX:
        blocks.append(Paragraph((f"{counted(len(paths) - FILES_SHOWN_MAX, 'more changed file')} left out.",)))
    return blocks


def _digests(tried: Try) -> dict[str, str]:
    return {e.path: e.digest for e in tried.manifest.files} if tried.manifest else {}


def _difference(path: str, first: str, second: str) -> Excerpt:
    lines: list[CodeLine] = []
    left = 0
    # Splitting only at newlines: other separators are characters of the line, and are shown as such.
    for line in list(difflib.unified_diff(first.split("\n"), second.split("\n"), n=2, lineterm=""))[2:]:
        if len(lines) >= LINES_SHOWN_MAX:
            left += 1
            continue
        sign, text = line[0], line[1:]
        if sign == "@":
            lines.append(CodeLine(line, tone="plain"))
        else:
            tone = {"+": "good", "-": "bad"}.get(sign, "plain")
            lines.append(CodeLine(clipped(text), tone=tone, sign=sign))  # type: ignore[arg-type]
    if left:
        lines.append(CodeLine(f"… {counted(left, 'more line')} left out"))
    return Excerpt(path, tuple(lines))


def clipped(line: str) -> str:
    """Return at most `LINE_CHARS_MAX` characters of a line, and how many are left out."""
    over = len(line) - LINE_CHARS_MAX
    return line if over <= 0 else f"{line[:LINE_CHARS_MAX]} … {counted(over, 'more character')}"
