"""An agent's turn that is killed at any point: its tools are not called twice, and the turn ends as it would have.

The killed program is `tools_child.py`, in processes of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import quick_start

PYTHON = quick_start.python()
CHILD = Path(__file__).with_name("tools_child.py")
CALLS = ["write a one", "write b two", "read a", "read none", "write a three", "read a", "write a three"]
FILES = {"a": "three", "b": "two"}


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


def test_a_killed_turn_is_really_killed_and_goes_on(tmp_path: Path) -> None:
    """Without forks: one process dies by SIGKILL right after its third put, another one ends the turn."""
    store = tmp_path / "s"
    done = child("run", store, "after", 3)
    assert -signal.SIGKILL == done.returncode
    assert CALLS[:3] == (store / "called").read_text().splitlines()

    (again,) = lines("run", store)

    assert FILES == again["files"]
    assert CALLS == (store / "called").read_text().splitlines()


@pytest.mark.parametrize("when", ["before", "after", "inside"])
def test_killed_at_every_point_a_turn_ends_as_if_nothing_had_happened(tmp_path: Path, when: str) -> None:
    """The same conversation and the same files, however often it died; a tool whose step was written is never called
    again, and one that died before its step was written is called once more for each death."""
    base = tmp_path / when
    base.mkdir()
    *killed, last = lines("points", base)

    assert len(CALLS) == len(killed)
    assert {signal.SIGKILL} == {point["died"] for point in killed}
    assert CALLS == last["called"]
    assert FILES == last["first"]["files"]
    for at, point in enumerate(killed, 1):
        assert last["first"] == point["outcome"], f"killed {when} point {at}"
        deaths = 0 if when == "after" else 1 + bool(point["again"])
        assert Counter(CALLS) + Counter({CALLS[at - 1]: deaths}) == Counter(point["called"])
    assert any(point["again"] for point in killed)
