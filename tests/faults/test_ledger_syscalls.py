"""The SQLite ledger at every system call: one that fails, is cut short, or is the last before a kill or a power cut.

A process forks a writer for each call that it makes and lets one fault happen to it there; see `syscall_faults`. What
is left must open, verify, hold everything that was acknowledged where it was, and take appends again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from syscall_faults import possible

import squads

HERE = Path(__file__).parent


def tried(folder: Path, scenario: str, call: str, *actions: str, stride: int = 1) -> list[dict[str, Any]]:
    """Return what each fault came to, up to the run that made no more of these calls."""
    found = subprocess.run(
        [sys.executable, str(HERE / "ledger_syscalls.py"), str(folder), scenario, call, ",".join(actions), str(stride)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{Path(squads.__file__).parent.parent}{os.pathsep}{HERE}"},
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2_000:]
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    *faults, last = lines
    assert (True, False) == (all(line["hit"] for line in faults), last["hit"])
    assert [] == last["failed"], "the run without a fault"
    return faults


def check(faults: list[dict[str, Any]]) -> None:
    """What must be true after every fault."""
    for fault in faults:
        assert [] == fault["wrong"], fault
        assert (-9 if fault["killed"] else 0) == fault["status"], fault
        # One error costs one append at most: the next one finds the ledger as it is, and goes on.
        assert len(fault["failed"]) <= 1, fault


@pytest.mark.parametrize("scenario", ["found", "append", "erase"])
def test_after_a_fault_at_any_call_nothing_acknowledged_is_lost(tmp_path: Path, scenario: str) -> None:
    """Writes, syncs, cuts and removals of files, one in four: gapless, no fork, no content lost, and it goes on."""
    if not possible():
        return
    faults = tried(tmp_path, scenario, "any", "EIO", "KILL", "CUT", "ENOSPC", "SHORT", "TORN", stride=4)

    check(faults)
    assert len(faults) >= 25
    assert {"write", "ledger.db-wal"} <= {word for fault in faults for word in fault["where"].split()}


@pytest.mark.parametrize("action", ["EIO", "CUT"])
@pytest.mark.parametrize("scenario", ["found", "append", "erase"])
def test_after_a_fault_at_any_sync_nothing_acknowledged_is_lost(tmp_path: Path, scenario: str, action: str) -> None:
    """What is acknowledged was synced before: each sync fails once, and is once the last thing before a power cut."""
    if not possible():
        return
    faults = tried(tmp_path, scenario, "sync", action)

    check(faults)
    met = {word for fault in faults for word in fault["where"].split()}
    assert {"ledger.db", "ledger.db-wal", "checkpoints", "content.slots" if scenario == "erase" else "sync"} <= met
