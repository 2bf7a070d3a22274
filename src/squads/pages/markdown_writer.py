"""Blocks as Markdown for any renderer: what HTML says with boxes stands here in words, tables and fences.

Text of others is inert: every character that Markdown could read is escaped, there is no raw HTML, no link and no
picture, and a fence is longer than any run of its own characters inside.
"""

from __future__ import annotations

import re
from typing import assert_never

from squads.pages.blocks import (
    MARKS,
    Badge,
    Block,
    Code,
    Excerpt,
    Figure,
    Inline,
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
from squads.pages.text import one_line, visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$])")
_BEGINS = re.compile(r"^([-+=]|\d+(?=[.)]))")
# Bare addresses and `@names` become links and calls on some hosts without any of the characters above. No backslash
# keeps them from it; a break without width does, written as a character reference so that it can be seen in the source.
_BREAK = "&#8203;"
_ADDRESS = re.compile(r"(?i)(?<![a-z])(https?:|ftp:|mailto:|xmpp:|www)(?=[/.\w])")
_CALL = re.compile(r"@(?=\w)")


def markdown_of(page: Page) -> str:
    """Return the whole document. The same page gives the same bytes."""
    parts = [f"# {escaped(page.title)}", f"{_inline(page.verdict)}", _line(page.lead)]
    parts += [block_markdown(section, 2) for section in page.sections]
    parts += ["---", *(_line(line) for line in page.footer)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """Return text of anybody as Markdown for one line that shows exactly that text."""
    text = one_line(text).replace("&", "&amp;")
    text = _SPECIAL.sub(r"\\\1", text)
    text = _ADDRESS.sub(rf"\1{_BREAK}", text)
    text = _CALL.sub(f"@{_BREAK}", text)
    # A list, a rule or a heading begins at the start of a line only. Before a number's dot stands the backslash.
    return _BEGINS.sub(lambda m: f"{m[1]}\\" if m[1].isdigit() else f"\\{m[1]}", text)


def code(text: str) -> str:
    """Return text as a code span; its delimiters are longer than any run of backticks inside."""
    text = one_line(text)
    # A table's cell ends at a pipe even inside of a code span, and an escape is read only there.
    if not text or "|" in text:
        return escaped(text)
    ticks = "`" * (_longest_run(text, "`") + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fenced(text: str, language: str = "text") -> str:
    """Return text as a fenced block, its fence longer than any run of backticks inside."""
    text = visible(text)
    fence = "`" * max(3, _longest_run(text, "`") + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str, character: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(character)}+", text)), default=0)


def _inline(part: Inline) -> str:
    match part:
        case str():
            # Spaces at the ends belong to the sentence around it.
            lead, tail = " " * part.startswith(" "), " " * (part.endswith(" ") and len(part) > 1)
            return f"{lead}{escaped(part)}{tail}"
        case Code():
            return code(part.text)
        case Strong():
            return f"**{escaped(part.text)}**"
        case Badge():
            return f"{MARKS[part.tone]} **{escaped(part.text)}**"
        case _:
            assert_never(part)


def _line(line: Line) -> str:
    return "".join(_inline(part) for part in line).strip()


def block_markdown(block: Block, level: int) -> str:
    """Return one block; `level` is how deep a heading of it stands."""
    match block:
        case Section():
            mark = "" if block.tone == "plain" else f"{MARKS[block.tone]} "
            heading = f"{'#' * min(level, 6)} {mark}{escaped(block.title)}"
            return "\n\n".join([heading, *(b for inner in block.blocks if (b := block_markdown(inner, level + 1)))])
        case Paragraph():
            return _line(block.line)
        case Quote():
            label = [f"{escaped(block.label)}:", ""] if block.label else []
            if block.code:
                return "\n".join([*label, fenced(block.text)])
            quoted = [f"> {escaped(line)}\\" if line.strip() else ">" for line in visible(block.text).split("\n")]
            quoted[-1] = quoted[-1].removesuffix("\\")
            return "\n".join([*label, *quoted])
        case Items():
            return "\n".join(
                f"{f'{number}.' if block.numbered else '-'} {_line(line)}" for number, line in enumerate(block.lines, 1)
            )
        case Notice():
            return f"> {MARKS[block.tone]} **{escaped(block.title)}** {_line(block.line)}".rstrip()
        case Table():
            head = " | ".join(escaped(name) for name in block.head)
            rows = "\n".join(f"| {' | '.join(_line(cell) for cell in row)} |" for row in block.rows)
            return f"{escaped(block.caption)}\n\n| {head} |\n|{' --- |' * len(block.head)}\n{rows}"
        case Excerpt():
            return f"{code(block.title)}\n\n{fenced(_lines_of(block))}"
        case Figure():
            return ""
        case _:
            assert_never(block)


def _lines_of(excerpt: Excerpt) -> str:
    width = max((len(str(line.number)) for line in excerpt.lines if line.number is not None), default=0)
    signed = any(line.sign != " " for line in excerpt.lines)
    pointed = not signed and any(line.tone == "bad" for line in excerpt.lines)
    lines = []
    for line in excerpt.lines:
        number = f"{line.number if line.number is not None else '':>{width}} " if width else ""
        # Without colours, an arrow says which lines are meant.
        arrow = ("> " if line.tone == "bad" else "  ") if pointed else ""
        lines.append(f"{arrow}{number}{f'{line.sign} ' if signed else ''}{visible(line.text)}".rstrip())
    return "\n".join(lines)
