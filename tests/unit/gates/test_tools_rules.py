"""From a tool's rules to invariants and severities, and from a tool's places to the artifact's paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tools_scene import PYTHON, approved, reading, refused, result, sarif, says

from squads import Abstained, Approved, CannotLook
from squads.contracts.artifact import File
from squads.gates.tools.mapping import chosen, slug
from squads.gates.tools.private_copy import PrivateCopy
from squads.gates.tools.python_rules import INVARIANTS, rules_of, severities_of
from squads.gates.tools.squawk import read_squawk

ERRORS = sarif(result("S101", level="error"), result("S301", level="error"), result("S324", level="error"))


async def found(tmp_path: Path, **options: Any) -> list[tuple[str, str]]:
    verdict = await says(tmp_path, ERRORS, **options).answer(reading(PYTHON))
    assert not isinstance(verdict, Abstained)
    return sorted((f.invariant, f.severity.value) for f in verdict.findings)


async def test_rules_are_mapped_to_invariants(tmp_path: Path) -> None:
    """What is not mapped keeps its severity, becomes a note, or is left out."""
    rules = {"S3*": "python.danger", "S324": "python.weak-hash"}
    mapped = [("python.danger", "major"), ("python.weak-hash", "major")]

    assert await found(tmp_path, rules=rules) == [*mapped, ("tool.s101", "major")]
    assert await found(tmp_path, rules=rules, unmapped="note") == [*mapped, ("tool.s101", "note")]
    assert await found(tmp_path, rules=rules, unmapped="drop") == mapped


async def test_severities_are_weighed_by_rule_then_by_level(tmp_path: Path) -> None:
    """A rule's own weight holds also where it is mapped to nothing."""
    given = {"severities": {"S1*": "blocker", "S324": "note"}, "levels": {"error": "minor"}, "unmapped": "note"}

    assert await found(tmp_path, rules={"S3*": "a.b"}, **given) == [
        ("a.b", "minor"),
        ("a.b", "note"),
        ("tool.s101", "blocker"),
    ]


async def test_a_comment_in_the_judged_file_silences_nothing_by_default(tmp_path: Path) -> None:
    """A change must not quieten its own judge; what is silenced outside of it is kept as a note."""
    inside = sarif(result(level="error", suppressions=[{"kind": "inSource"}]))
    outside = sarif(result(level="error", suppressions=[{"kind": "external"}]))

    assert refused(await says(tmp_path, inside).answer(reading(PYTHON))) == [("tool.x1", "major", "a.py:1")]
    heeding = says(tmp_path, inside, heeds_suppressions=True)
    assert approved(await heeding.answer(reading(PYTHON))) == [("tool.x1", "Silenced in the file: bad [X1]")]
    assert approved(await says(tmp_path, outside).answer(reading(PYTHON))) == [
        ("tool.x1", "Silenced outside of the file: bad [X1]")
    ]


@pytest.mark.parametrize(
    ("rule", "says"), [("S324", "own"), ("S301", "long"), ("S999", "short"), ("B1", None), ("s301", None)]
)
def test_the_closest_row_of_a_table_holds(rule: str, says: str | None) -> None:
    """Its own id first, then the longest pattern, whatever the order."""
    table = {"S*": "short", "S3*": "long", "S324": "own"}

    assert chosen(table, rule) == says
    assert chosen(dict(reversed(table.items())), rule) == says


def test_every_rule_has_a_name_that_a_receipt_may_hold() -> None:
    """Lower case, without odd signs; a long one is cut and stays apart from its neighbour."""
    long = [slug("semgrep." + "x" * 80 + end) for end in "ab"]

    assert slug("ruff.S101") == "ruff.s101"
    assert slug("tool.C++/Rule Näme") == "tool.c-rule-n-me"
    assert slug("007.x") == "tool.007.x"
    assert slug("\ud800") == "tool"
    assert [len(name) for name in long] == [64, 64]
    assert long[0] != long[1]


def test_ruff_and_bandit_share_their_invariants() -> None:
    """One number, one invariant, one severity; no rule stands twice."""
    ruff, bandit = rules_of("S"), rules_of("B")

    assert len(INVARIANTS) > 15
    assert ruff["S324"] == bandit["B324"] == "python.weak-hash"
    assert sum(len(numbers.split()) for _, numbers in INVARIANTS.values()) == len(bandit) == len(ruff) - 1
    assert severities_of(ruff)["S311"] == severities_of(bandit)["B311"] == "minor"


# Places ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy() -> Any:
    """A private copy of files with odd names."""
    made = PrivateCopy()
    names = ("a b.py", "sub/ä#1.py", "100%.py", "cc:d.py")
    made.write([File(path=name, content=b"x") for name in names], renamed=False, masks=())
    yield made
    made.remove()


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("a b.py", "a b.py"),
        ("a%20b.py", "a b.py"),
        ("./sub/../a%20b.py", "a b.py"),
        ("file://COPY/a%20b.py", "a b.py"),
        ("file://localhostCOPY/a%20b.py", "a b.py"),
        ("COPY/a b.py", "a b.py"),
        ("sub/%C3%A4%231.py", "sub/ä#1.py"),
        ("sub/ä#1.py", "sub/ä#1.py"),
        ("100%.py", "100%.py"),
        ("100%25.py", "100%.py"),
        ("cc:d.py", "cc:d.py"),
    ],
)
def test_a_place_is_found_however_the_tool_writes_it(copy: PrivateCopy, place: str, path: str) -> None:
    """As a URI, percent-encoded or not, relative, absolute."""
    assert copy.path_of(place.replace("COPY", str(copy.files))) == path


@pytest.mark.parametrize(
    "place",
    ["", ".", "sub", "../settings/x", "/a b.py", "file://hostCOPY/a b.py", "http://COPY/a b.py", "a\0b", "%ff", "//["],
)
def test_a_place_elsewhere_is_not_found(copy: PrivateCopy, place: str) -> None:
    """Whatever it looks like."""
    with pytest.raises(CannotLook, match="not a file that it was given to read"):
        copy.path_of(place.replace("COPY", str(copy.files)))


def test_removing_twice_does_nothing(copy: PrivateCopy) -> None:
    """And what is written after it is not written."""
    copy.remove()
    copy.remove()
    copy.write([File(path="late.py", content=b"x")], renamed=False, masks=())

    assert not copy.root.exists()
    assert "./late.py" not in copy.arguments


# Squawk ---------------------------------------------------------------------------------------------------------------

SQUAWK = (
    '{"file":"a.py","line":1,"column":0,"level":"Warning","message":"slow","help":"wait",'
    '"rule_name":"adding-field","column_end":4,"line_end":1}'
)


def test_squawks_lines_count_from_zero() -> None:
    """Ours count from one; what it advises would satisfy the rule."""
    (found,) = read_squawk(f"[{SQUAWK}]".encode(), str).results

    assert (found.rule, found.level, found.message, found.satisfy) == ("adding-field", "warning", "slow", "wait")
    assert (found.path, found.line, found.column, found.end_line) == ("a.py", 2, 1, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("{}", "the whole"),
        ("[{}]", "0.file"),
        (f"[{SQUAWK.replace('Warning', 'Fatal')}]", "neither Error nor Warning"),
        (f"[{SQUAWK.replace('1,', '-1,', 1)}]", "0.line"),
        (f"[{SQUAWK.replace('adding-field', '')}]", "0.rule_name"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_not_squawks_list_cannot_be_read(text: str, reason: str) -> None:
    """The reason names the place."""
    with pytest.raises(CannotLook, match=reason):
        read_squawk(text.encode(), str)


async def test_squawks_answer_is_read_where_the_gate_says_so(tmp_path: Path) -> None:
    """A syntax error is a file that was not read."""
    broken = SQUAWK.replace("adding-field", "syntax-error")

    assert approved(await says(tmp_path, f"[{SQUAWK}]", format="squawk").answer(reading(PYTHON)))
    assert isinstance(await says(tmp_path, f"[{broken}]", format="squawk").answer(reading(PYTHON)), Abstained)
    assert await says(tmp_path, "[]", format="squawk").answer(reading(PYTHON)) == Approved(looked=2)
