"""Results as a file: what is written is read back, and what is not such a file is refused by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from results_scene import results
from squads.bench.results_file import lines_of, read_results, write_results
from squads.contracts.errors import InvalidCase


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every figure can be counted again from the file alone."""
    write_results(results(), tmp_path / "r.jsonl")

    assert results() == read_results(tmp_path / "r.jsonl")


def test_results_are_never_written_over(tmp_path: Path) -> None:
    """A second run does not take the place of the first by a slip."""
    write_results(results(), tmp_path / "r.jsonl")

    with pytest.raises(InvalidCase, match="there already"):
        write_results(results(1), tmp_path / "r.jsonl")
    assert results() == read_results(tmp_path / "r.jsonl")


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], *lines], 2),
        (lambda lines: [lines[0], "[]", *lines[1:]], 2),
        (lambda lines: [*lines, '{"line":"note"}'], len(list(lines_of(results()))) + 1),
        (lambda lines: [*lines[:2], lines[2].replace("family", "famliy", 1), *lines[3:]], 3),
        (lambda lines: [lines[0].replace("/v1", "/v9"), *lines[1:]], len(list(lines_of(results())))),
        (lambda _: [], 0),
    ],
    ids=["no-head", "two-heads", "no-object", "another-line", "unknown-field", "another-format", "empty"],
)
def test_a_file_that_is_no_results_is_refused_by_line(tmp_path: Path, damage: object, line: int) -> None:
    """The sentence says in which line it stands."""
    lines = damage(list(lines_of(results())))  # type: ignore[operator]
    (tmp_path / "r.jsonl").write_text("".join(f"{text}\n" for text in lines))

    with pytest.raises(InvalidCase, match=rf"line {line}, "):
        read_results(tmp_path / "r.jsonl")


def test_every_line_is_json_of_its_own() -> None:
    """Any language reads it line by line."""
    kinds = [json.loads(text)["line"] for text in lines_of(results(1))]

    assert ["results", "case", "case", *["judged"] * 6] == kinds
