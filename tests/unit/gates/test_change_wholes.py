"""A demand that follows from a whole value is held by it; what does not follow, or cannot be worked out, is not."""

from __future__ import annotations

import pytest

from squads.gates.changes.wholes import follows


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("out.splitlines()[0].startswith('a;b')", "out", "'a;b;c\\n1;2;3\\n'"),
        ("len(rows) == 2", "rows", "[1, 2]"),
        ("got['name'] == 'Ada'", "got", "{'name': 'Ada'}"),
        ("not got['done']", "got", "{'done': False}"),
        ("sorted(names)[0] in ('a', 'b')", "names", "['c', 'a']"),
    ],
)
def test_a_demand_that_follows_from_the_whole_is_held(text: str, subject: str, expected: str) -> None:
    """Parts, lengths and texts of a written value are worked out."""
    assert follows(text, subject, expected)


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("out.startswith('b')", "out", "'a;b'"),
        ("rows[5] == 1", "rows", "[1, 2]"),
        ("load(got) == 1", "got", "1"),
        ("len(rows) == 2", "rows", "make()"),
        ("'x' * 10 ** 9 == out", "out", "'x'"),
    ],
)
def test_what_does_not_follow_or_is_not_written_out_is_not_held(text: str, subject: str, expected: str) -> None:
    """What is computed elsewhere, is missing or is too long tells nothing."""
    assert not follows(text, subject, expected)
