"""Real processes over one store: killed, frozen and thawed holders, and several who resume the same packet at once.

The programs are `lease_child.py`. Judged from what their roles noted, from the receipts, and by the audit.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from squads.audit import audit
from squads.holding import LEASE_SECONDS
from squads.ledger.leaf import decode_leaf

CHILD = Path(__file__).with_name("lease_child.py")
COMPOSED = {"kind": "composed", "files": {"a.txt": "x"}}
ONCE = Counter({"build 1": 1, "one 1": 1, "two 1": 1})
WAIT_SECONDS = 60


class Child:
    """One process of the program."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> dict[str, Any]:
        """Return the next thing that it prints."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline() or '{"ended": true}')
        return said

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> str:
        """Wait for its end, and return what it wrote to standard error."""
        _, errors = self.process.communicate(timeout=WAIT_SECONDS)
        return errors


@pytest.fixture
def start() -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def started(*arguments: object) -> Child:
        children.append(Child(*arguments))
        return children[-1]

    yield started
    for child in children:
        if child.process.poll() is None:
            child.signal(signal.SIGKILL)
        child.process.communicate()


def beside(store: Path, what: str) -> Path:
    return store.with_name(f"{store.name}.{what}")


def asked(store: Path) -> Counter[str]:
    """Return how often each piece of work was begun, in any process."""
    path = beside(store, "asked")
    return Counter(line.rpartition(" ")[0] for line in path.read_text().splitlines()) if path.exists() else Counter()


def wait_for(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def check_whole(store: Path) -> None:
    """No receipt stands there twice, nobody holds anything any more, and the audit finds nothing wrong."""
    connection = sqlite3.connect(store / "ledger.db")
    try:
        payloads = [decode_leaf(leaf).payload for (leaf,) in connection.execute("SELECT leaf FROM entry")]
        held = connection.execute("SELECT packet FROM lease WHERE holder <> ''").fetchall()
        beats = connection.execute("SELECT name FROM holder").fetchall()
    finally:
        connection.close()
    kinds = Counter(json.loads(p)["predicateType"].split(":")[2] for p in payloads)
    assert len(set(payloads)) == len(payloads)
    assert (kinds["artifact"], kinds["verdict"], kinds["finish"], kinds["fault"]) == (1, 2, 1, 0)
    assert (held, beats) == ([], [])
    assert list((store / "ledger.db.holders").iterdir()) == []
    assert audit(store).failed == ()


def held_up(start: Callable[..., Child], store: Path, *more: object) -> Child:
    """Return a process that holds a packet whose builder is at work."""
    child = start("run", store, *more)
    wait_for(lambda: asked(store))
    return child


def test_a_killed_holder_is_followed_at_once(start: Callable[..., Child], tmp_path: Path) -> None:
    """The lock of its file is free: nobody waits for a lease to run out."""
    store = tmp_path / "s"
    first = held_up(start, store)
    (lock,) = (store / "ledger.db.holders").iterdir()
    assert lock.stat().st_mode & 0o777 == 0o600
    assert lock.parent.stat().st_mode & 0o777 == 0o700
    first.signal(signal.SIGKILL)
    first.end()
    beside(store, "start").touch()

    second = start("resume", store)
    assert second.line() == {"ready": True}
    began = time.monotonic()
    assert second.line() == COMPOSED
    assert time.monotonic() - began < LEASE_SECONDS / 3

    second.end()
    assert asked(store) == ONCE + Counter({"build 1": 1})  # the one that the dead process was at
    check_whole(store)


def test_of_several_who_resume_at_once_one_asks(start: Callable[..., Child], tmp_path: Path) -> None:
    """Each request is worked on once, and all of them return the same outcome."""
    store = tmp_path / "s"
    first = held_up(start, store)
    first.signal(signal.SIGKILL)
    first.end()
    beside(store, "asked").unlink()
    others = [start("resume", store) for _ in range(3)]
    assert [{"ready": True}] * 3 == [other.line() for other in others]

    beside(store, "start").touch()
    said: list[dict[str, Any]] = []
    for other in others:
        line = other.line()
        while "held" in line:
            line = other.line()
        said.append(line)

    for other in others:
        other.end()
    assert [COMPOSED] * 3 == said
    assert asked(store) == ONCE
    check_whole(store)


def test_a_frozen_holder_loses_the_packet_and_follows(start: Callable[..., Child], tmp_path: Path) -> None:
    """Its lock is held, so its beat is what tells; thawed, it writes nothing, asks nobody, and returns the outcome of
    whoever took over."""
    store = tmp_path / "s"
    frozen = held_up(start, store, 1.0)
    frozen.signal(signal.SIGSTOP)
    beside(store, "start").touch()
    other = start("resume", store, 1.0)
    assert other.line() == {"ready": True}
    assert other.line()["held"].startswith(f"process {frozen.process.pid} on ")
    assert other.line() == COMPOSED
    other.end()

    beside(store, "go").touch()
    frozen.signal(signal.SIGCONT)

    assert frozen.line() == COMPOSED
    frozen.end()
    assert asked(store) == ONCE + Counter({"build 1": 1})  # the one that it was at when it froze
    check_whole(store)


def test_who_serves_takes_over_and_ends_in_order(start: Callable[..., Child], tmp_path: Path) -> None:
    """It leaves alone what a living process holds, takes up what a dead one left, and ends with SIGTERM."""
    store = tmp_path / "s"
    holder = held_up(start, store)
    serves = start("serve", store)
    assert serves.line() == {"serving": True}
    holder.signal(signal.SIGKILL)
    holder.end()
    wait_for(lambda: asked(store)["two 1"] and _finished(store))
    serves.signal(signal.SIGTERM)

    assert serves.line() == {"served": True}
    errors = serves.end()
    assert serves.process.returncode == 0
    lines = [line for line in errors.splitlines() if line.startswith("squads.serve")]
    assert [line.partition(": ")[2].split(": ", 1)[1] for line in lines[:1]] == ["taken up"]
    assert len(lines) <= 2
    assert asked(store) == ONCE + Counter({"build 1": 1})
    check_whole(store)


def _finished(store: Path) -> bool:
    connection = sqlite3.connect(store / "ledger.db")
    try:
        (leaf,) = connection.execute("SELECT leaf FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    finally:
        connection.close()
    return ":finish:" in json.loads(decode_leaf(leaf).payload)["predicateType"]
