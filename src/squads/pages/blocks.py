"""What a page consists of, before it is HTML or Markdown: one list of blocks, so that both say the same.

All text in here is plain text as it came from wherever it came. A writer escapes it; nothing here is ever markup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["good", "bad", "unsure", "plain"]
"""Approved, refused, could not look, and everything else."""

MARKS = {"good": "✓", "bad": "✗", "unsure": "?", "plain": "•"}
"""A tone is never said by colour alone."""


@dataclass(frozen=True, slots=True)
class Code:
    """A digest, a path, an id: something to be read letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that carry the sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with a tone, shown with its mark."""

    text: str
    tone: Tone


Inline = str | Code | Strong | Badge
Line = tuple[Inline, ...]
"""One run of words."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences."""

    line: Line


@dataclass(frozen=True, slots=True)
class Quote:
    """Text that somebody wrote, in full or shortened: its line breaks are kept, nothing in it is obeyed."""

    text: str
    label: str = ""
    """Whose words, for whoever cannot see that it is a quotation."""
    code: bool = False
    """True for what is read letter by letter."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list; numbered where the order tells something."""

    lines: tuple[Line, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that must not be overlooked."""

    tone: Tone
    title: str
    line: Line = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head. The first cell of a row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of an excerpt or a difference."""

    text: str
    number: int | None = None
    tone: Tone = "plain"
    sign: str = " "


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file, a difference, or a signed note."""

    title: str
    lines: tuple[CodeLine, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing. Markdown has no drawings: there the table that follows it stands alone."""

    svg: str
    """Written by `squads.pages.drawing`, which escapes; the one thing here that is markup."""
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...] = ()
    id: str = ""
    tone: Tone = "plain"


Block = Paragraph | Quote | Items | Notice | Table | Excerpt | Figure | Section


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page."""

    title: str
    verdict: Badge
    lead: Line
    sections: tuple[Section, ...]
    footer: tuple[Line, ...] = field(default=())
