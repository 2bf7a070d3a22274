"""A squad over a server is the squad that it was: the programs of `examples/` say the same with `bus=` added."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import quick_start
from squads.testing.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PRINTED: dict[str, list[str]] = runpy.run_path(str(ROOT / "tests" / "docs" / "test_examples.py"))["PRINTED"]
"""How each line of each program's output begins; their own tests hold them to it without a bus."""
CHOSEN = ["crash_and_resume.py", "person_approves.py", "project_from_cards.py", "ten_lines.py", "two_tasks.py"]
"""One of each kind; the others say the same, and take their time."""
MAKES_A_SQUAD = re.compile(r"\b(Squad\(|\.squad\((?=store=))")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.mark.parametrize("name", CHOSEN)
def test_an_example_says_the_same_over_a_server(name: str, server: RedisServer, tmp_path: Path) -> None:
    """`bus="redis://…"` is the only change, and what lived in memory leaves nothing on the server.

    Where a process is killed, the bus is told besides to take it for dead within a second instead of half a minute.
    """
    bus = repr(server.url)
    source = (EXAMPLES / name).read_text("utf-8")
    if name == "crash_and_resume.py":
        bus = f"__import__('squads.buses').buses.BusSettings(url={bus}, dead_after_seconds=0.3)"
    changed, count = MAKES_A_SQUAD.subn(lambda found: f"{found[0]}bus={bus}, ", source)
    program = tmp_path / name
    program.write_text(changed, "utf-8")
    with server.client() as client:
        before = set(client.scan_iter("sq:*"))
        done = subprocess.run(
            [quick_start.python(), str(program)],
            cwd=tmp_path,
            env={**os.environ, "SQUADS_HOME": str(tmp_path / "keys")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        kept = set(client.scan_iter("sq:*")) - before

    assert count >= 1
    assert 0 == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert len(PRINTED[name]) == len(lines), done.stdout
    assert all(line.startswith(begins) for line, begins in zip(lines, PRINTED[name], strict=True)), done.stdout
    assert ("store=folder" in source) == bool(kept)
