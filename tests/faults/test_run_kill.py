"""Whole runs that are killed, starved of disk, or locked out: the same end, or a clear error, and nothing is lost.

The killed program is `run_child.py`, in processes of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import quick_start
from squads import Approved, Composed, Squad
from squads.audit import audit
from squads.contracts.errors import LedgerTooNew
from squads.ledger.leaf import decode_leaf
from squads.testing import ScriptedBuilder, ScriptedGate

PYTHON = quick_start.python()
CHILD = Path(__file__).with_name("run_child.py")
COMPOSED = {"kind": "composed", "files": {"program.txt": "program", "table.txt": "table"}, "refusals": 1}
STEPS = [
    "opened",
    "plan",
    "artifact",
    "verdict",
    "verdict",
    "artifact",
    "verdict",
    "verdict",
    "artifact",
    "verdict",
    "verdict",
    "verdict",
    "acceptance",
    "answer",
]
"""What is handed in over the run, one append each; the founding of the workspace comes before."""


def child(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, str(CHILD), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def lines(*arguments: object) -> list[dict[str, Any]]:
    done = child(*arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def payloads(store: Path) -> list[bytes]:
    connection = sqlite3.connect(store / "ledger.db")
    try:
        return [decode_leaf(leaf).payload for (leaf,) in connection.execute("SELECT leaf FROM entry ORDER BY seq")]
    finally:
        connection.close()


def kinds(store: Path) -> list[str]:
    return [json.loads(p)["predicateType"].split(":")[2] for p in payloads(store)]


def check_whole(store: Path) -> None:
    """No receipt stands there twice, every step was taken once, and the audit finds nothing wrong."""
    found = payloads(store)
    assert len({sha256(p).digest() for p in found}) == len(found)
    inputs = [k for k in kinds(store) if k in STEPS]
    assert Counter(inputs) == Counter(STEPS)
    assert kinds(store)[-1] == "finish"
    result = audit(store)
    assert result.failed == ()
    assert {c.check for c in result.results if c.state == "unchecked"} <= {"fork", "suspect"}


def asked(store: Path) -> Counter[str]:
    return Counter(store.with_name(f"{store.name}.asked").read_text().split("\n")[:-1])


def test_an_undisturbed_run_takes_these_steps(tmp_path: Path) -> None:
    """What the others are compared with: the outcome, one append per step, and nobody asked twice."""
    store = tmp_path / "s"
    done = child("run", store)

    assert json.loads(done.stdout) == COMPOSED
    check_whole(store)
    assert set(asked(store).values()) == {1}


def test_a_killed_program_is_really_killed(tmp_path: Path) -> None:
    """Without forks and tricks: one process dies by SIGKILL in the middle, another one ends the work."""
    store = tmp_path / "s"
    done = child("run", store, "after", 5)
    assert done.returncode == -signal.SIGKILL
    assert "finish" not in kinds(store)

    again = child("run", store)

    assert json.loads(again.stdout) == COMPOSED
    check_whole(store)


@pytest.mark.parametrize("when", ["before", "after", "answer"])
def test_killed_at_every_point_it_ends_as_if_nothing_had_happened(tmp_path: Path, when: str) -> None:
    """Before and after every append, and between every answer and its reply: the same outcome, the same files, no
    receipt twice, and nothing that was recorded is asked again."""
    base = tmp_path / when
    base.mkdir()
    found = lines("points", base)

    killed, last = found[:-1], found[-1]
    assert {f["died"] for f in killed} == {signal.SIGKILL}
    assert last["first"] == COMPOSED
    # Every append was a point: the founding, and one per step. Every answer of a role was one.
    assert len(killed) == (len(STEPS) + 1 if when != "answer" else len(STEPS) - 2)
    for point in found:
        store = base / str(point["at"])
        assert point["outcome"] == COMPOSED, f"killed {when} point {point['at']}"
        check_whole(store)
        # Only what had not been written when the process died is asked again, and two gates may have been at it.
        times = asked(store)
        deaths = 1 + (point["at"] % 3 == 0) if point["died"] else 0
        assert max(times.values()) <= 1 + deaths
        assert sum(times.values()) - len(times) <= 2 * deaths


def test_a_full_disk_is_a_clear_error_and_nothing_is_lost(tmp_path: Path) -> None:
    """Wherever the disk fills up the run says so; with room again the same process ends the work without asking
    anybody again, and another process ends it as well."""
    found = lines("full", tmp_path)

    assert len(found) == 18
    for point in found:
        store = tmp_path / f"room-{point['room']}-{point['again']}"
        assert point["error"].startswith("StorageUnavailable: the ledger ")
        assert "Nothing was acknowledged" in point["error"]
        assert point["outcome"] == COMPOSED
        check_whole(store)
        if point["again"]:  # a reply that could not be recorded was kept, and handed in when there was room
            assert set(asked(store).values()) == {1}
    # The disk did not fill up at the same step every time.
    assert len({tuple(sorted(asked(tmp_path / f"room-{p['room']}-{p['again']}").items())) for p in found}) > 2


def test_a_store_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """Neither a traceback nor a vendor's words: which file, and what to do."""
    if os.geteuid() == 0:  # another user must be able to get there
        for parent in (tmp_path, *tmp_path.parents):
            if parent.stat().st_uid == 0 and parent != Path("/tmp") and len(parent.parts) > 2:
                parent.chmod(0o755)
        home = Path(os.environ["SQUADS_HOME"])
        for parent in (home, *home.parents):
            if parent.stat().st_uid == 0 and len(parent.parts) > 2:
                parent.chmod(0o755)
    (found,) = lines("readonly", tmp_path / "s")

    assert found["run"].startswith("StorageUnavailable: the ledger ")
    assert "ledger.db" in found["run"]


async def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """What a newer squads wrote is not read and not written by this one."""
    store = tmp_path / "s"

    def squad(count: int) -> Squad:
        return Squad(
            builder=ScriptedBuilder(*[{"a": "x"}] * count, prior="b"),
            gates=[ScriptedGate("style", *[Approved()] * count, prior="g")],
            store=store,
        )

    async with squad(1) as made:
        assert isinstance(await made.run("It."), Composed)
    connection = sqlite3.connect(store / "ledger.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(LedgerTooNew, match="format 99, this squads knows up to 2; upgrade squads"):
        await squad(0).run("It.")
    with pytest.raises(LedgerTooNew):
        audit(store)
