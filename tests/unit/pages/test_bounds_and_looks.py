"""A page stays small whatever it tells of, and can be read by everybody: contrast, names of drawings, headings."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import page_scenes as scenes
import pytest

from squads import Finding, Limits, Location, Refused
from squads.pages import changes, drawing, findings
from squads.pages.drawing import Edge, Graph, Node, graph_svg
from squads.pages.style import STYLE
from squads.pages.text import counted, duration, listed, moment, shortened, visible
from squads.testing import ScriptedBuilder, ScriptedGate

BACKGROUNDS = ["paper", "card"]
PAIRS = [
    *[(ink, b) for ink in ("ink", "soft", "good", "bad", "unsure") for b in BACKGROUNDS],
    *[(tone, f"{tone}-bg") for tone in ("good", "bad", "unsure", "plain")],
    *[("ink", f"{tone}-bg") for tone in ("good", "bad", "unsure", "plain")],
    ("ink", "code"),
]


def refused_with(store: Path, text: str, *found: Finding) -> str:
    outcome = scenes.run(
        store,
        builder=ScriptedBuilder({"a.txt": text}, {"a.txt": text.replace("x", "y")}, prior="b"),
        gates=[ScriptedGate("style", Refused(findings=found), Refused(findings=found), prior="g")],
        limits=Limits(attempts_max=2),
    )
    return scenes.both(store, outcome.packet)[1]


def at(line: int, **more: Any) -> Finding:
    return Finding(invariant="style.any", message="Here.", location=Location(path="a.txt", line=line, **more))


def test_findings_are_bounded_and_the_rest_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "FINDINGS_SHOWN_MAX", 3)

    text = refused_with(tmp_path / "store", "x\n", *[at(1)] * 4)

    assert text.count("✗ a.txt:1: Here.") == 3
    assert "5 more findings left out here" in text


def test_an_excerpt_shows_a_few_lines_around_the_place(tmp_path: Path) -> None:
    """Three before, three after, the place marked; a long place and a long line are cut, and so said."""
    lines = "".join(f"line {n}x\n" for n in range(1, 500)) + "x" * 5_000

    text = refused_with(tmp_path / "store", lines, at(100), at(200, end_line=400), at(500))

    assert re.search(r"```text\n   97 line 97x\n.*?> 100 line 100x\n.*?  103 line 103x\n```", text, re.DOTALL)
    assert "> 219 line 219x\n  220 line" in text
    assert "… 4,500 more characters" in text


@pytest.mark.parametrize("line", [9_999, None], ids=["past the end", "no line"])
def test_a_place_that_is_not_there_shows_the_evidence(tmp_path: Path, line: int | None) -> None:
    """A wrong line is the gate's mistake, and no reason to show nothing or to fail."""
    found = Finding(
        invariant="a.b", message="Here.", evidence="the evidence", location=Location(path="a.txt", line=line)
    )

    assert "```text\nthe evidence\n```" in refused_with(tmp_path / "store", "x\n", found)


def test_differences_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines shown are counted, and what is too long to compare is only named."""
    monkeypatch.setattr(changes, "LINES_SHOWN_MAX", 10)
    monkeypatch.setattr(changes, "LINES_COMPARED_MAX", 100)

    shown = refused_with(tmp_path / "one", "x\n" * 50, at(1))
    named = refused_with(tmp_path / "two", "x\n" * 101, at(1))

    assert "… 92 more lines left out" in shown
    assert "a.txt: more than 100 lines or 400,000 characters, so not compared" in named


def test_a_drawing_is_bounded_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "NODES_SHOWN_MAX", 5)
    outcome = scenes.composed(tmp_path / "store")

    page, _ = scenes.both(tmp_path / "store", outcome.packet)

    assert "2 more attempts left out of the drawing" in page


def test_drawings_have_a_name_a_description_and_a_table(tmp_path: Path) -> None:
    """Whoever cannot see a drawing is told the same; a refusal points from the refused attempt to the next."""
    outcome = scenes.composed(tmp_path / "store")
    page, _ = scenes.both(tmp_path / "store", outcome.packet)

    drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)

    assert len(drawings) == 2
    for svg in drawings:
        top = ElementTree.fromstring(svg)
        space = "{http://www.w3.org/2000/svg}"
        names = {e.get("id") for e in (top.find(f"{space}title"), top.find(f"{space}desc")) if e is not None and e.text}
        assert set((top.get("aria-labelledby") or "").split()) == names
        assert top.get("role") == "img"
    assert "attempt 1, builder to attempt 2, builder: refused, tried again" in drawings[0]
    assert page.count("<svg") <= page.count("<table>")


def test_a_graph_of_hostile_names_is_well_formed() -> None:
    """A name is escaped, and an arrow over rows runs in a lane of its own."""
    nodes = (Node("a", "<&>\"'", "good", (("]]>", "bad"),) * 9), Node("b", "b", "bad"), Node("c", "c", "plain"))
    svg = graph_svg(Graph(nodes, (Edge("a", "b", "<w>", "bad"), Edge("b", "c", "w"), Edge("a", "c", "w"))))

    text = "".join(ElementTree.fromstring(svg).itertext())

    assert "<&>\"'" in text
    assert "and 3 more" in text


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_has_contrast(scheme: str, front: str, back: str) -> None:
    """WCAG AA: at least 4.5 to 1, in every scheme."""
    blocks = {name: b for name, b in zip(("light", "dark", "print"), re.findall(r":root\{(.*?)\}", STYLE, re.DOTALL))}  # noqa: B905, C416
    colours = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[scheme]))

    lighter, darker = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_headings_go_down_one_step_at_a_time(tmp_path: Path) -> None:
    """One first heading, and none that skips a level; every link of the contents leads to a section."""
    outcome = scenes.composed(tmp_path / "store")
    page, _ = scenes.both(tmp_path / "store", outcome.packet)

    levels = [int(n) for n in re.findall(r"<h(\d)>", page)]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {*re.findall(r'href="#([^"]*)"', page)} <= {*re.findall(r' id="([^"]*)"', page)}
    assert len(re.findall(r' id="([^"]*)"', page)) == len({*re.findall(r' id="([^"]*)"', page)})


@pytest.mark.parametrize(
    ("ms", "said"),
    [(0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (61_000, "1 min 1 s"), (3_660_000, "1 h 1 min"),
     (90_000_000, "1 d 1 h")],
)  # fmt: skip
def test_lengths_of_time_are_said_in_two_units(ms: int, said: str) -> None:
    assert said == duration(ms)


def test_words_for_numbers_lists_and_times() -> None:
    """A time that no calendar has is its number, and no error."""
    assert [counted(1, "file"), counted(1_200, "file")] == ["1 file", "1,200 files"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["nobody", "a", "a, b and c"]
    assert [shortened("abc", 3), shortened("abcd", 3)] == ["abc", "ab…"]
    assert moment(1_800_000_000_123) == "2027-01-15 08:00:00.123 UTC"
    assert moment(2**53 - 1) == "9,007,199,254,740,991 ms since 1970"
    assert visible("\u2028\ud800\ufffe") == "\\u2028\\ud800\\ufffe"
