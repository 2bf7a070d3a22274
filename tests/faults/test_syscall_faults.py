"""The tracer that the ledger's crash tests stand on: a call that fails has failed, and a cut leaves what was synced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from syscall_faults import possible

HERE = Path(__file__).parent
DRIVER = """
import json, os, sys
from pathlib import Path
from syscall_faults import Fault, run
where, call, nth, action = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
def child():
    descriptor = os.open(where / "kept", os.O_WRONLY | os.O_APPEND)
    said = []
    for piece in (b"one ", b"two ", b"six "):
        try:
            said.append(os.write(descriptor, piece))
            os.fsync(descriptor)
        except OSError as error:
            said.append(error.errno)
    (where.parent / "said").write_text(json.dumps(said))
ended = run(child, Fault(call, nth, action), folder=where)
print(json.dumps([ended.hit, ended.killed]))
"""


def driven(tmp_path: Path, call: str, nth: int, action: str) -> tuple[list[bool], list[int], bytes]:
    """Return whether it was hit and killed, what the child's calls gave, and what is in its file."""
    where = tmp_path / "folder"
    where.mkdir()
    (where / "kept").write_bytes(b"old ")
    found = subprocess.run(
        [sys.executable, "-c", DRIVER, str(where), call, str(nth), action],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HERE)},
        check=False,
    )
    assert found.returncode == 0, found.stderr
    said = tmp_path / "said"
    calls = json.loads(said.read_text()) if said.exists() else []
    return json.loads(found.stdout), calls, (where / "kept").read_bytes()


@pytest.mark.parametrize(
    ("call", "nth", "action", "hit", "said", "left"),
    [
        ("write", 9, "EIO", [False, False], [4, 4, 4], b"old one two six "),
        ("write", 2, "EIO", [True, False], [4, 5, 4], b"old one six "),
        ("write", 2, "ENOSPC", [True, False], [4, 28, 4], b"old one six "),
        ("write", 2, "SHORT", [True, False], [4, 2, 4], b"old one twsix "),
        ("sync", 2, "EIO", [True, False], [4, 4, 5, 4], b"old one two six "),
        ("sync", 2, "KILL", [True, True], [], b"old one two "),
        ("sync", 2, "CUT", [True, True], [], b"old one "),
        ("any", 5, "CUT", [True, True], [], b"old one two "),
    ],
)
def test_a_fault_does_what_it_says(
    tmp_path: Path, call: str, nth: int, action: str, hit: list[bool], said: list[int], left: bytes
) -> None:
    """The child is told the error, half is written, or only what was synced is left; without a fault nothing is."""
    if possible():
        assert (hit, said, left) == driven(tmp_path, call, nth, action)
