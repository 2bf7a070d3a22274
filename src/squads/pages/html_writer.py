"""Blocks as one self-contained HTML page: no script, nothing from elsewhere, readable everywhere.

Every text goes through `_text`, which shows control characters and escapes; the only markup that passes is written in
this file, `style.py` and `drawing.py`. It must never hold an address that a browser would fetch.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
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
from squads.pages.style import STYLE
from squads.pages.text import visible


def html_of(page: Page) -> str:
    """Return the whole document. The same page gives the same bytes."""
    contents = "".join(f'<li><a href="#{_id(s)}">{_text(s.title)}</a></li>' for s in page.sections)
    style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    # `unsafe-inline` would let text that slipped through bring styles of its own; a hash lets in only ours.
    policy = f"default-src 'none'; style-src 'sha256-{style_hash}'; img-src data:; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{_text(page.title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#main">Skip to the report</a>',
            f'<header class="top {page.verdict.tone}">',
            f'<p class="verdict">{_inline(page.verdict)}</p>',
            f"<h1>{_text(page.title)}</h1>",
            f'<p class="lead">{_line(page.lead)}</p>',
            "</header>",
            f'<nav aria-label="Contents"><ul>{contents}</ul></nav>',
            '<main id="main">',
            *(_block(section, 2) for section in page.sections),
            "</main>",
            "<footer>",
            *(f"<p>{_line(line)}</p>" for line in page.footer),
            "</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _text(text: str) -> str:
    """Return text of anybody as HTML that shows exactly that text."""
    return escape(visible(text), quote=True)


def _id(section: Section) -> str:
    name = section.id or section.title
    return "s-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())


def _inline(part: Inline) -> str:
    match part:
        case str():
            return _text(part)
        case Code():
            return f"<code>{_text(part.text)}</code>"
        case Strong():
            return f"<strong>{_text(part.text)}</strong>"
        case Badge():
            mark = f'<span aria-hidden="true">{MARKS[part.tone]}</span>'
            return f'<span class="badge {part.tone}">{mark} {_text(part.text)}</span>'
        case _:
            assert_never(part)


def _line(line: Line) -> str:
    return "".join(_inline(part) for part in line)


def _block(block: Block, level: int) -> str:
    match block:
        case Section():
            inner = "\n".join(_block(b, level + 1) for b in block.blocks)
            mark = "" if block.tone == "plain" else f'<span class="mark" aria-hidden="true">{MARKS[block.tone]}</span> '
            heading = f"<h{level}>{mark}{_text(block.title)}</h{level}>"
            named = f' id="{_id(block)}"' if level == 2 or block.id else ""
            return f'<section{named} class="level-{level} {block.tone}">\n{heading}\n{inner}\n</section>'
        case Paragraph():
            return f"<p>{_line(block.line)}</p>"
        case Quote():
            label = f'<figcaption class="label">{_text(block.label)}</figcaption>' if block.label else ""
            inner = f"<code>{_text(block.text)}</code>" if block.code else _text(block.text)
            return f'<figure class="quote">{label}<blockquote>{inner}</blockquote></figure>'
        case Items():
            tag = "ol" if block.numbered else "ul"
            return f"<{tag}>{''.join(f'<li>{_line(line)}</li>' for line in block.lines)}</{tag}>"
        case Notice():
            more = f" {_line(block.line)}" if block.line else ""
            mark = f'<span aria-hidden="true">{MARKS[block.tone]}</span>'
            return f'<p class="notice {block.tone}">{mark} <strong>{_text(block.title)}</strong>{more}</p>'
        case Table():
            return _table(block)
        case Excerpt():
            return _excerpt(block)
        case Figure():
            caption = f"<figcaption>{_text(block.caption)}</figcaption>"
            return f'<figure class="drawing"><div class="scroll" tabindex="0">{block.svg}</div>{caption}</figure>'
        case _:
            assert_never(block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.head)
    rows = []
    for first, *others in table.rows:
        cells = f'<th scope="row">{_line(first)}</th>' + "".join(f"<td>{_line(cell)}</td>" for cell in others)
        rows.append(f"<tr>{cells}</tr>")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(table.caption)}"><table>'
        f"<caption>{_text(table.caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _excerpt(excerpt: Excerpt) -> str:
    width = max((len(str(line.number)) for line in excerpt.lines if line.number is not None), default=0)
    signed = any(line.sign != " " for line in excerpt.lines)
    lines = []
    for line in excerpt.lines:
        number = "" if not width else f"{line.number if line.number is not None else '':>{width}} "
        sign = f"{line.sign} " if signed else ""
        text = _text(line.text) or " "
        lines.append(f'<span class="line {line.tone}"><span class="number">{number}{sign}</span>{text}\n</span>')
    return (
        f'<figure class="excerpt"><figcaption><code>{_text(excerpt.title)}</code></figcaption>'
        f'<pre tabindex="0"><code>{"".join(lines)}</code></pre></figure>'
    )
