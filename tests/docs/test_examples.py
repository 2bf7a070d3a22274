"""The programs in `examples/` run as they are, and do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PRINTED = {
    "ten_lines.py": [
        "attempt 1: refused treasury.sql: balance may fall below zero",
        "attempt 2: approved",
        "composed: 1 file(s), artifact ",
    ],
    "two_tasks.py": [
        "schema, attempt 1: sql.balance-not-negative refused",
        "schema, attempt 2: sql.balance-not-negative approved",
        "debit, attempt 1: sql.balance-not-negative approved",
        "composed: 2 file(s), artifact ",
        "1_wallets.sql 2_debit.sql",
    ],
    "person_approves.py": ["awaiting-approval 3", "mara awaiting-approval", "noor composed"],
}
"""How each line of each program's output begins."""


def test_every_example_is_run() -> None:
    """An example that no test runs is out of date soon."""
    assert {p.name for p in EXAMPLES.glob("*.py")} == set(PRINTED)


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_prints_what_it_shows(name: str, tmp_path: Path) -> None:
    """It runs in an empty folder, with keys of its own, and leaves nothing there."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "SQUADS_HOME": str(tmp_path.parent / "keys")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(PRINTED[name]) == len(lines)
    assert all(line.startswith(begins) for line, begins in zip(lines, PRINTED[name], strict=True))
    assert not list(tmp_path.iterdir())


def test_the_readme_shows_the_ten_lines() -> None:
    """What the first screen shows is the example, but for the empty lines that a formatter wants."""
    shown = (ROOT / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    example = (EXAMPLES / "ten_lines.py").read_text("utf-8").split('"""\n', 1)[1]

    assert [x for x in shown.splitlines() if x] == [x for x in example.splitlines() if x]
