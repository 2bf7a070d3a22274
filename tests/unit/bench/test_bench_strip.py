"""What would tell a gate the answer is taken away from every case alike, and lines keep their numbers."""

from __future__ import annotations

import pytest

from squads.bench.strip import stripped


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
    assert left == stripped(name, text)
