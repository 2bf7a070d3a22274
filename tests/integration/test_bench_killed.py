"""A run that was killed goes on where it was, and its rows are those of a run that nobody killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import bench_deadly

from squads.bench.checking import check_run
from squads.bench.folder import RunFolder
from squads.bench.judged import Judged


def test_a_run_that_was_killed_goes_on_and_gives_the_same_rows(tmp_path: Path) -> None:
    """No reading that was receipted is made again: what was in flight when it died, and nothing more, is read twice."""
    struck, whole = tmp_path / "struck", tmp_path / "whole"
    for home in (struck, whole):
        home.mkdir()
    (struck / "deadly").touch()
    killed = subprocess.run(
        [sys.executable, str(Path(bench_deadly.__file__)), str(struck)],
        env=os.environ,
        timeout=60,
        check=False,
        capture_output=True,
    )
    (struck / "deadly").unlink()
    bench_deadly.begin(struck)
    bench_deadly.begin(whole)

    assert -signal.SIGKILL == killed.returncode
    readings = (struck / "readings.txt").read_text("ascii").split()
    assert 8 == len(set(readings))
    assert len(readings) <= 8 + 2
    assert without_receipts(whole / "run") == without_receipts(struck / "run")
    assert (8, "finished") == (len(RunFolder(struck / "run").judged()), RunFolder(struck / "run").end().why)
    assert () == check_run(struck / "run").failed


def without_receipts(run: Path) -> list[Judged]:
    """Return rows without what differs between two runs."""
    return [row.but(packet="", receipt=None, wait_ms=0) for row in RunFolder(run).judged()]
