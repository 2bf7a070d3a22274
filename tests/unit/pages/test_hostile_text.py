"""Text of artifacts, roles and people is shown and never obeyed: not by a browser, a renderer or a terminal."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import page_scenes as scenes
import pytest

from squads.pages import style
from squads.pages.blocks import Badge, Code, CodeLine, Excerpt, Page, Paragraph, Quote, Section, Strong, Table
from squads.pages.html_writer import html_of
from squads.pages.markdown_writer import code, escaped, fenced, markdown_of
from squads.pages.text import visible

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</code></pre></style></title></svg><iframe src=//example.org>",
    "\u202egnp.exe\u2066 \u200b \x1b[2J\x07\x9b",
    "```\n# heading\n[click](https://example.org) ![x](https://example.org/x.png)\n````",
    "a | b | c\n--- | --- | ---\n| x |",
    "]]> <![CDATA[ <!-- --> &lt; &amp; &#x202e;",
    "`` ` ``` \\` | \\| *b* _i_ ~~s~~ $x$ @everyone #1 https://example.org www.example.org",
    "javascript:alert(1)' onload='x\" style=\"background:url(https://example.org)",
    "- item\n1. item\n> quote\n=====\n+ item\n    code\n\\",
]
GOOD = Badge("good", "good")
TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "p", "h1", "h2", "h3",
    "h4", "nav", "ul", "ol", "li", "main", "section", "footer", "code", "strong", "span", "figure",
    "figcaption", "blockquote", "pre", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg",
    "desc", "g", "rect", "text", "line", "path",
}  # fmt: skip


class Elements(HTMLParser):
    """Every element of a page with its attributes, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_brings_no_element_and_no_attribute(tmp_path: Path, text: str) -> None:
    """Whatever a role writes, the page has only our elements, no handler, no script, and nothing to fetch."""
    outcome = scenes.hostile(tmp_path / "store", text)
    page, _ = scenes.both(tmp_path / "store", outcome.packet)

    read = Elements(page)

    assert {tag for tag, _ in read.found} <= TAGS
    assert read.comments == []
    for tag, attributes in read.found:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset", "action")
        ]
        if "href" in attributes:
            assert (attributes["href"] or "").startswith("#"), tag
    assert html.escape(visible(text).split("\n")[0], quote=True) in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x1b\x07\x9b]", page)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_inert_in_markdown(tmp_path: Path, text: str) -> None:
    """Outside of fences and code spans no character of it means anything; inside, no fence can be closed."""
    outcome = scenes.hostile(tmp_path / "store", text)
    _, page = scenes.both(tmp_path / "store", outcome.packet)

    outside, open_fence = [], ""
    for line in page.split("\n"):
        ticks = re.match(r"`{3,}", line)
        if open_fence:
            open_fence = "" if line == open_fence else open_fence
        elif ticks:
            open_fence = ticks[0]
        else:
            outside.append(line)
    prose = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(outside))
    prose = re.sub(r"\\[\\`*_\[\]<>#|~$+=-]|\d\\[.)]", "", prose)

    assert open_fence == ""
    assert not re.search(r"<[a-z!/]|\]\(|!\[|https?:[/\w]|www\.|@\w|(?<!&)#\d", prose)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x1b\x07\x9b]", page)


def test_a_table_keeps_its_columns(tmp_path: Path) -> None:
    """A pipe or a line break in a cell makes no further cell and no further row."""
    outcome = scenes.hostile(tmp_path / "store", "x | y\n| z | `a|b`")
    _, page = scenes.both(tmp_path / "store", outcome.packet)

    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)

    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().split("\n")}
        assert len(cells) == 1, table


def test_the_page_forbids_everything_from_elsewhere() -> None:
    """A policy that lets in one style sheet by its hash, and nothing else."""
    page = html_of(Page("t", GOOD, (), ()))

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert "url(" not in style.STYLE
    assert "@import" not in style.STYLE
    assert "<script" not in page
    assert not re.search(r"https?://", page)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_every_block_escapes(text: str) -> None:
    """No block of any kind lets a text through as markup, in titles neither."""
    blocks = (
        Paragraph((text, Code(text), Strong(text))),
        Quote(text, text),
        Table(text, (text,), (((text,),),)),
        Excerpt(text, (CodeLine(text, 1),)),
    )
    page = Page(text, GOOD, (text,), (Section(text, blocks),), ((text,),))

    read = Elements(html_of(page))

    assert {tag for tag, _ in read.found} <= TAGS
    assert "<script" not in markdown_of(page).replace("\\<script", "").replace("`<script", "").replace("1 <script", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b*c", "a\\_b\\*c"),
        ("<b>", "\\<b\\>"),
        ("&lt;", "&amp;lt;"),
        ("- x", "\\- x"),
        ("12. x", "12\\. x"),
        ("a\n# b", "a \\# b"),
        ("https://a.b", "https:&#8203;//a.b"),
        ("www.a.b", "www&#8203;.a.b"),
        ("@here", "@&#8203;here"),
        ("\u202e", "\\\\u202e"),
    ],
)
def test_words_are_escaped_for_markdown(text: str, expected: str) -> None:
    assert expected == escaped(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a|b", "a\\|b"), ("", ""), ("``` ``", "```` ``` `` ````")],
)
def test_a_code_span_holds_its_text(text: str, expected: str) -> None:
    """Delimiters are longer than any run inside; a pipe would end a table's cell, so it stands as words."""
    assert expected == code(text)


def test_a_fence_is_longer_than_any_run_inside() -> None:
    assert fenced("a\n`````\nb").startswith("``````text\n")
    assert fenced("a").startswith("```text\n")


def test_bytes_that_are_no_text_are_said_to_be_none(tmp_path: Path) -> None:
    """A binary file has no lines to show, and is no reason to fail."""
    from squads import Finding
    from squads.contracts.finding import Location
    from squads.testing import ScriptedBuilder, ScriptedGate

    finding = Finding(invariant="any.bytes", message="Bad bytes.", location=Location(path="b.bin", line=1))
    outcome = scenes.run(
        tmp_path / "store",
        builder=ScriptedBuilder({"b.bin": b"\xff\xfe"}, {"b.bin": b"\xff\xfd"}, prior="b"),
        gates=[ScriptedGate("any", finding, finding, finding, prior="g")],
    )

    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    assert "b.bin: gone or no text, so its lines are not shown" in in_html
    assert "b.bin: gone or no text, so its lines are not shown" in in_markdown
