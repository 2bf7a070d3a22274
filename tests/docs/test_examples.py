"""The programs in `examples/` run as they are, and do what they say."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest

import quick_start

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
    "asgi_app.py": [
        "lifespan.startup.complete",
        "POST 202 /packets/",
        "GET 200 composed: 1 file(s), artifact ",
    ],
    "crash_and_resume.py": [
        "  asked for a plan",
        "  asked to build table",
        "  asked to build rows",
        "the first process ended with signal 9",
        "resuming: A table with rows.",
        "  asked to build rows",
        "composed: 2 file(s), artifact ",
    ],
    "custom_builder.py": [
        "page, attempt 1: prices.html:4: a page of prices holds <script>",
        "<table>",
        "<tr><td>Oak table</td><td>240</td></tr>",
        "<tr><td><b>New:</b> ash chair</td><td>80</td></tr>",
        "<tr><td>Shelf &lt;script&gt;</td><td>60</td></tr>",
        "</table>",
    ],
    "custom_gate.py": [
        "attempt 1, page.has-title: refused",
        "  major hours.md:1: hours.md has no title",
        "attempt 1, reader: refused",
        "  major hours.md:1: a line shouts",
        "  minor hours.md:3: a line has 65 characters",
        "attempt 2, page.has-title: approved",
        "attempt 2, reader: approved",
        "  minor hours.md:3: a line has 65 characters",
        "composed: 1 file(s), artifact ",
    ],
    "objection.py": [
        "brief: A table of wallets with their balances.",
        "table: the brief does not say in which unit a balance is kept, and a wrong guess loses money",
        "brief: A table of wallets with their balances. Keep it in whole cents.",
        "composed: 1 file(s), artifact ",
    ],
    "panel.py": [
        "attempt 1: refused (law refused)",
        "  major: letter.txt: a letter needs 'From:'",
        "attempt 2: approved (law approved, style refused, spelling approved)",
        "  note: style refuses, and was outvoted: letter.txt: a letter never says 'really'",
        "composed: 1 file(s), artifact ",
    ],
    "plan_gate.py": [
        "plan, attempt 1: refused the plan changes a schema, and no task says how to take that back",
        "plan, attempt 2: approved",
        "change, attempt 1: approved",
        "way-back, attempt 1: approved",
        "1_down.sql 1_up.sql",
    ],
    "project_from_cards.py": [
        "attempt 1: schema refused",
        "attempt 2: schema approved",
        "CREATE TABLE wallets (balance_cents bigint CHECK (balance_cents >= 0));",
    ],
    "tools_as_gates.py": [
        "attempt 1: refused",
        "  names.py:5:12 python.weak-hash: See https://docs.astral.sh/ruff/rules/",
        "attempt 2: approved",
        "composed: 1 file(s), artifact ",
        "2 abstained",
    ],
}
"""How each line of each program's output begins."""
LINES_MAX = 59
"""An example fits on one screen."""


def test_every_example_is_run() -> None:
    """An example that no test runs is out of date soon."""
    assert {p.name for p in EXAMPLES.glob("*.py")} == set(PRINTED)


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_is_short_and_says_what_it_shows(name: str) -> None:
    """Who opens it learns from its first line whether to read on, and no test kit stands in for a role."""
    text = (EXAMPLES / name).read_text("utf-8")
    shows = ast.get_docstring(ast.parse(text)) or ""

    assert len(text.splitlines()) <= LINES_MAX
    assert shows.endswith(".")
    assert "\n" not in shows
    assert "squads.testing" not in text


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_prints_what_it_shows(name: str, tmp_path: Path) -> None:
    """It runs in an empty folder, with keys of its own, and leaves nothing there."""
    done = subprocess.run(
        [quick_start.python(), str(EXAMPLES / name)],
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
