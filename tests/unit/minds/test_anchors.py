"""Evidence is looked for where a finding says it stands, and a finding without an anchor is marked."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from squads import Artifact, Finding, Severity
from squads.contracts.finding import FindingCounts, Location
from squads.minds.anchors import anchored, anchored_in

SQL = "CREATE TABLE treasury (\n    id int PRIMARY KEY,\n    balance numeric(12, 2)\n);\n\n-- seeds\nINSERT 1;\n"
PY = 'import os\n\n\ndef login(token):\n    return decode(token, verify="no")\n'
ARTIFACT = Artifact.of({"db/treasury.sql": SQL, "app/login.py": PY, "logo.png": b"\x89PNG\x00\xff"})


def found(evidence: str, path: str | None = "db/treasury.sql", line: int | None = None, **more: Any) -> Finding:
    place = Location(path=path, line=line, **more) if path else None
    return anchored(Finding(invariant="a.b", message="It.", location=place, evidence=evidence), ARTIFACT)


@pytest.mark.parametrize(
    "evidence",
    [
        "balance numeric(12, 2)",
        "    balance numeric(12, 2)\n",
        "balance   numeric(12,\t2)",
        "`balance numeric(12, 2)`",
        '"balance numeric(12, 2)"',
        "\u201cbalance numeric(12, 2)\u201d",
        "```sql\nbalance numeric(12, 2)\n```",
        "3 | balance numeric(12, 2)",
        "  3: balance numeric(12, 2)",
        "+    balance numeric(12, 2)",
        "    id int PRIMARY KEY,\n    balance numeric(12, 2)",
        "id int PRIMARY KEY, balance numeric(12, 2)",
    ],
)
def test_evidence_at_its_place_is_an_anchor(evidence: str) -> None:
    """White space, quotes around it and numbers of lines do not count."""
    finding = found(evidence, line=3)

    assert not finding.unanchored
    assert finding.location == Location(path="db/treasury.sql", line=3)


def test_quotes_inside_evidence_may_be_escaped_or_curled() -> None:
    """Models write JSON, and what they quote comes with its escapes."""
    for evidence in ('decode(token, verify=\\"no\\")', "decode(token, verify=\u201cno\u201d)"):
        assert not found(evidence, "app/login.py", 5).unanchored


@pytest.mark.parametrize(("line", "kept"), [(1, 1), (4, 4), (7, 3), (None, 3)])
def test_a_line_that_is_far_off_is_corrected(line: int | None, kept: int) -> None:
    """A place is where the evidence stands; nearby is near enough."""
    assert Location(path="db/treasury.sql", line=kept) == found("balance numeric(12, 2)", line=line).location


def test_the_nearest_occurrence_is_the_one_that_is_meant() -> None:
    """A line that stands in a file many times is not moved to its first place."""
    text = "same thing\n" + "other\n" * 20 + "same thing\n" + "other\n" * 20
    finding = Finding(invariant="a.b", message="It.", location=Location(path="f", line=30), evidence="same thing")

    assert Location(path="f", line=22) == anchored_in(finding, {"f": text}).location


def test_evidence_of_several_lines_says_where_it_ends() -> None:
    """When its place is corrected."""
    finding = found("id int PRIMARY KEY,\nbalance numeric(12, 2)", line=None)

    assert Location(path="db/treasury.sql", line=2, end_line=3) == finding.location


def test_evidence_in_another_file_moves_the_finding() -> None:
    """Two files of the artifact were confused; the words are right."""
    finding = found("def login(token):", "db/treasury.sql", 3, column=4)

    assert (False, Location(path="app/login.py", line=4)) == (finding.unanchored, finding.location)


def test_a_finding_without_a_place_gets_one() -> None:
    """Where its evidence stands."""
    assert Location(path="app/login.py", line=4) == found("def login(token):", None).location


@pytest.mark.parametrize(
    ("evidence", "path"),
    [
        ("balance money", "db/treasury.sql"),
        ("Balance numeric(12, 2)", "db/treasury.sql"),
        ("", "db/treasury.sql"),
        ("  \n", "db/treasury.sql"),
        (");", "db/treasury.sql"),
        ("``", "db/treasury.sql"),
        ("balance numeric(12, 2)", "db/missing.sql"),
        ("db/missing.sql", "db/missing.sql"),
        ("", None),
        ("nowhere at all", None),
    ],
)
def test_evidence_that_is_not_there_marks_the_finding(evidence: str, path: str | None) -> None:
    """Nothing else of it changes: it refuses as before, at the place that it said."""
    finding = found(evidence, path, 2) if path else found(evidence, None)

    assert finding.unanchored
    assert finding == Finding(
        invariant="a.b",
        message="It.",
        location=Location(path=path, line=2) if path else None,
        evidence=evidence,
        unanchored=True,
    )


def test_the_mark_is_not_the_models_to_set() -> None:
    """A finding that says of itself that it has no anchor, and has one, loses the mark."""
    place = Location(path="db/treasury.sql", line=3)
    finding = Finding(invariant="a.b", message="It.", location=place, evidence="balance numeric", unanchored=True)

    assert not anchored(finding, ARTIFACT).unanchored


def test_bytes_that_are_no_text_hold_no_evidence() -> None:
    """And raise nothing."""
    assert found("PNG and more", "logo.png").unanchored


def test_a_text_made_to_stall_the_search_does_not() -> None:
    """Half a million words that almost match cost a moment, not minutes."""
    text = "a " * 500_000
    finding = Finding(invariant="a.b", message="It.", location=Location(path="f", line=1), evidence="a " * 1_900 + "b")
    start = perf_counter()

    assert anchored_in(finding, {"f": text}).unanchored
    assert perf_counter() - start < 10


def test_findings_without_an_anchor_are_counted() -> None:
    """Beside the severities, not among them."""
    plain = Finding(invariant="a.b", message="It.", severity=Severity.MINOR)

    counts = FindingCounts.of((plain, plain.but(unanchored=True), plain.but(unanchored=True, severity="blocker")))

    assert counts == FindingCounts(minor=2, blocker=1, unanchored=2)
    assert 3 == counts.total
