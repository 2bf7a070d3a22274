"""`benchmarks/checks.py`: our checks give every case its label, no case tells its label, and the page has its shape."""

from __future__ import annotations

import asyncio
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from squads.contracts.finding import Finding, Location
from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.builtin import HOMES
from squads.gates.gate import Gate

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/explanation/what-the-checks-catch.md"


def program(name: str) -> ModuleType:
    """Return a file of `benchmarks/`: they are scripts beside each other, and no package."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return import_module(name)
    finally:
        sys.path.remove(folder)


checks, case_sets, tables, reasons = map(program, ("checks", "case_sets", "tables", "reasons"))
CASES = case_sets.cases()


class Picky(Gate):
    """A tool of which one file spoils the run, and which refuses what is bad."""

    files = ("*.py",)

    def __init__(self) -> None:
        self.runs = 0

    def review(self, work: ReviewWork) -> Verdict:
        self.runs += 1
        assert work.artifact is not None
        if any(b"unreadable" in f.content for f in work.artifact.files):
            return work.abstain("a file could not be read")
        bad = [f.path for f in work.artifact.files if b"bad" in f.content]
        found = [Finding(invariant="sql.unique-null", message="Bad.", location=Location(path=p)) for p in bad]
        return self.decide(found, looked=len(work.artifact.files))


def case(id: str, text: str, name: str = "module.py") -> object:
    return case_sets.Case(id=id, name=id, invariant="sql.unique-null", kind="refused", files={name: text})


@pytest.fixture(scope="module")
def ours() -> Any:
    """What our checks make of all cases; nobody changes it."""
    return asyncio.run(checks.ours(CASES))


def test_our_checks_give_every_case_its_label_without_its_name_and_its_headlines(ours: Any) -> None:
    """Every defect is refused for its own invariant, and no clean case is refused by any of the checks."""
    wrong = {
        c.name: outcome for c in CASES if (outcome := ours[c.id].outcome(c)) != ("right" if c.defect else "passed")
    }
    assert {} == wrong


def test_every_set_of_cases_belongs_to_a_check_and_has_all_kinds() -> None:
    """A folder whose name is no invariant's would be measured against nobody."""
    for invariant in {c.invariant for c in CASES}:
        assert invariant in HOMES
        assert {"refused", "cosmetic", "approved"} == {c.kind for c in CASES if c.invariant == invariant}


def test_no_case_tells_its_label() -> None:
    """Neither a path nor the top of a file says what kind of case it is."""
    for each in CASES:
        for path, text in each.files.items():
            assert not re.search(r"refused|approved|cosmetic|defect|clean", path), each.name
            head = text.lstrip()
            assert not head.startswith(('"""', "'''", "--", "/*")), each.name
            assert not (path.endswith(".py") and re.match(r"# (?!.*coding)", head)), each.name


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("a.sql", "-- The defect.\n\n/* Two\nlines. */ SELECT 1; -- kept\n", "\n\n\n SELECT 1; -- kept\n"),
        ("a.py", '# The defect.\n"""And\nmore."""\nx = 1  # kept\n', "\n\n\nx = 1  # kept\n"),
        ("a.py", "#!/bin/python\n# coding: utf-8\n# Gone.\nx = 1\n", "#!/bin/python\n# coding: utf-8\n\nx = 1\n"),
        ("a.py", "# Gone.\nprint 'old'\n", "\nprint 'old'\n"),
        ("a.py", "x = 1\n# kept\n", "x = 1\n# kept\n"),
        ("a.py", "", ""),
        ("a.md", "# Kept\n", "# Kept\n"),
    ],
    ids=["sql", "python", "cookie", "old-python", "below", "empty", "markdown"],
)  # fmt: skip
def test_headlines_go_and_lines_keep_their_numbers(name: str, text: str, left: str) -> None:
    """Comments above the first statement and the docstring are blank; what stands further down is part of the case."""
    assert left == case_sets.stripped(name, text)


async def test_a_file_that_a_tool_cannot_read_costs_no_other_case_its_reading() -> None:
    """The run is halved until the file is alone: it abstains, and the others are read."""
    sets = [case(f"c{n}", "unreadable" if n == 5 else "bad" if n == 6 else "good") for n in range(8)]
    gate = Picky()

    read = await checks.by_tool(gate, [*sets, case("c9", "SELECT 1;", "schema.sql")])

    assert [*["passed"] * 5, "abstained", "right", "passed"] == [read[c.id].outcome(c) for c in sets]
    assert "unread" == read["c9"].outcome(sets[0])
    assert 7 == gate.runs


@pytest.mark.parametrize(
    ("hits", "of", "interval"),
    [(5, 5, (0.5655, 1.0)), (0, 10, (0.0, 0.2775)), (81, 263, (0.2553, 0.3662)), (0, 0, (0.0, 1.0))],
    ids=["all", "none", "some", "no-cases"],
)
def test_the_interval_is_wilsons(hits: int, of: int, interval: tuple[float, float]) -> None:
    """81 of 263 is the example of Newcombe 1998, table I; without a case nothing is known."""
    assert interval == pytest.approx(tables.wilson(hits, of), abs=5e-5)


def test_rules_that_count_are_about_invariants_that_are_measured() -> None:
    """A rule for an invariant that no case breaks would never count, and a tool without a table has no right reason."""
    assert set(checks.tools()) == set(reasons.RIGHT)
    meant = {invariant for table in reasons.RIGHT.values() for invariant, _ in table.values()}
    assert meant <= {c.invariant for c in CASES}


def test_the_page_has_the_tables_of_the_program_and_our_figures_of_today(ours: Any) -> None:
    """A case that is added makes the page old: `python benchmarks/checks.py --page` writes it again."""
    written = PAGE.read_text("utf-8").partition(tables.BEGIN)[2].partition(tables.END)[0]
    read = {checks.OURS: ours}
    rows, notes = checks.rows_of(CASES, read), checks.rows_of(CASES, read, notes=True)
    expected = tables.tables_of(rows, notes, ["none"])

    titles = [line for line in expected.splitlines() if line.startswith("#")]
    assert titles == [line for line in written.splitlines() if line.startswith("#")]
    ours = [line for line in expected.splitlines() if line.startswith(f"| {checks.OURS} ")]
    assert ours == [line for line in written.splitlines() if line.startswith(f"| {checks.OURS} ")]
    header = f"| {' | '.join(tables.HEADER)} |"
    blocks = [block.splitlines() for block in written.split("\n\n") if block.startswith(header)]
    assert [[checks.OURS, *reasons.RIGHT]] * len(ours) == [[line.split(" ")[1] for line in b[2:]] for b in blocks]
    assert expected.partition("### Rules")[2] == written.strip("\n").partition("### Rules")[2] + "\n"


def test_a_page_without_its_marks_is_not_written() -> None:
    """Tables have one place; a page that lost it is not guessed at."""
    with pytest.raises(ValueError, match="the page has no room for tables"):
        tables.page_with("# A page\n", "tables")
