"""`text.conflict-marker`: the marks of an unresolved merge, and what only looks like them."""

from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.gates.checks.text_conflict_marker import INVARIANT, conflict_marker

CONFLICT = INVARIANT.refused


@pytest.mark.parametrize(
    "text",
    {
        "the example": CONFLICT,
        "in the middle": "a\nb\n" + CONFLICT + "c\n",
        "one side empty": "<<<<<<< HEAD\n=======\nx\n>>>>>>> b\n",
        "with the common ancestor": "<<<<<<< HEAD\na\n||||||| base\nb\n=======\nc\n>>>>>>> other\n",
        "from Windows": CONFLICT.replace("\n", "\r\n"),
        "without names": "<<<<<<<\na\n=======\nb\n>>>>>>>\n",
        "at the end, no newline": CONFLICT.rstrip("\n"),
        "a heading inside": "<<<<<<< HEAD\nTitle\n=======\nText\n=======\nOther\n>>>>>>> b\n",
    }.values(),
)
def test_a_conflict_is_refused(text):
    (finding,) = conflict_marker(Artifact.of({"a.txt": text}))

    assert finding.severity == INVARIANT.severity
    assert finding.evidence.startswith("<<<<<<<")


@pytest.mark.parametrize(
    "text",
    {
        "mended": INVARIANT.approved,
        "a heading": "Title\n=======\n\ntext\n",
        "many headings": "One\n=======\nTwo\n=======\n",
        "indented": "    <<<<<<< HEAD\n    a\n    =======\n    b\n    >>>>>>> b\n",
        "quoted": "> <<<<<<< HEAD\n> =======\n> >>>>>>> b\n",
        "only the beginning": "<<<<<<< HEAD\na\n",
        "another order": ">>>>>>> b\n=======\n<<<<<<< HEAD\n",
        "no middle": "<<<<<<< HEAD\n>>>>>>> b\n",
        "longer marks": "<<<<<<<< a\n========\n>>>>>>>> b\n",
        "shifts": "x = a <<<<<<< b\n",
        "a doctest": ">>>>>>> \n",
        "empty": "",
    }.values(),
)
def test_what_is_no_conflict_passes(text):
    assert [] == conflict_marker(Artifact.of({"a.txt": text}))


def test_every_conflict_is_told_with_its_lines():
    findings = conflict_marker(Artifact.of({"a.py": "x\n" + CONFLICT + "y\n" + CONFLICT, "b.yml": CONFLICT}))

    assert [("a.py", 2, 6), ("a.py", 8, 12), ("b.yml", 1, 5)] == [
        (f.location.path, f.location.line, f.location.end_line) for f in findings
    ]


def test_an_odd_byte_hides_no_conflict():
    """The marks are ASCII, so a file that is not UTF-8 is searched as well."""
    (finding,) = conflict_marker(Artifact.of({"a.txt": CONFLICT.encode().replace(b"30", b"caf\xe9") + b"\xff\xfe"}))

    assert 1 == finding.location.line
    assert "caf\ufffd" in finding.evidence
