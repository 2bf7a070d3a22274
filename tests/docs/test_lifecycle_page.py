"""What is read off the code stands in the pages as the code says it now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from squads.kernel.lifecycle import ATTEMPT, PACKET

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "lifecycle.md"


def test_no_page_is_stale() -> None:
    """Diagrams and tables are written by a program, and nobody forgot to run it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_diagrams_have_every_row_of_the_tables_and_no_other() -> None:
    """Read without the program that wrote them: one arrow for each row."""
    packet, attempt = (block.split("```")[0] for block in PAGE.read_text("utf-8").split("```mermaid\n")[1:3])
    for table, diagram in ((PACKET, packet), (ATTEMPT, attempt)):
        rows = {
            f"{a.value} --> {b.value}: {event}".replace("not-composed", "not_composed")
            for (a, event), b in table.items()
        }
        arrows = {line.strip() for line in diagram.split("\n") if " --> " in line and "[*]" not in line}

        assert rows == arrows


def test_every_state_is_explained() -> None:
    """A diagram alone says that a state exists, not what it means."""
    page = PAGE.read_text("utf-8")
    states = {s.value for s, _ in PACKET} | {s.value for s in ATTEMPT.values()}

    assert set() == {s for s in states - {"new"} if f"- **{s}**" not in page}
