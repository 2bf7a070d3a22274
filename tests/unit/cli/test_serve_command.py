"""`squads serve`, and `squads resume` of a packet that another process holds, as a person uses them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from project_scene import CLEAN, commit, git, squads, write

from squads.workspace import Workspace

SQUADS = Path(sys.executable).with_name("squads")  # signals are what is tested

CARD = "---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nKeys.\n"
CHANGE = "---\nextends: squads:change\n---\nThe change.\n"


@pytest.fixture
def waiting(tmp_path: Path) -> tuple[Path, str]:
    """A work tree, and a packet in it that waits for its owner."""
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, "gates/schema.md", CARD)
    write(top, "roles/change.md", CHANGE)
    commit(top, "cards")
    write(top, "p.md", "---\napproval: {approvers: [owner]}\n---\nJudge it.\n")
    write(top, "a.sql", CLEAN)
    done = squads("run", "p.md", "--json", cwd=top)
    assert done.returncode == 3, done.stderr
    return top, json.loads(done.stdout)["packet"]


def test_whoever_resumes_what_another_process_holds_is_told_who(waiting: tuple[Path, str]) -> None:
    """One sentence on standard error; the outcome is that of the packet, which stays where it is."""
    top, packet = waiting

    async def held() -> subprocess.CompletedProcess[str]:
        workspace = Workspace.open(top / ".squads")
        try:
            leases = workspace.ledger.leases
            await leases.begin("runner.build-7.4711.abcdef")
            assert await leases.take(packet, "runner.build-7.4711.abcdef")
            done = await asyncio.to_thread(squads, "resume", packet, "--json", cwd=top)
            lease = await leases.look(packet)
            assert lease is not None
            assert lease.holder == "runner.build-7.4711.abcdef"
            return done
        finally:
            await workspace.close()

    done = asyncio.run(held())

    assert (
        "squads: process 4711 on build-7 holds this packet; waiting for it, and taking the packet up should it die\n"
        == done.stderr
    )
    assert done.returncode == 3
    assert "awaiting-approval" == json.loads(done.stdout)["kind"].replace("_", "-")


def test_serving_takes_up_what_is_open_and_ends_with_sigterm(waiting: tuple[Path, str]) -> None:
    """One line when it takes a packet up, one when that has ended; exit code 0, and no traceback."""
    top, packet = waiting
    with subprocess.Popen([SQUADS, "serve"], cwd=top, stderr=subprocess.PIPE, text=True) as serves:
        assert serves.stderr is not None
        try:
            assert f"squads: packet {packet}: taken up\n" == serves.stderr.readline()
            assert squads("approve", packet, "--digest", _digest(top, packet), cwd=top).returncode == 0
            assert f"squads: packet {packet}: ended: composed\n" == serves.stderr.readline()
        finally:
            os.kill(serves.pid, signal.SIGTERM)
        assert "" == serves.stderr.read()
        assert 0 == serves.wait(timeout=60)


def test_there_must_be_a_squad_to_serve_with(tmp_path: Path) -> None:
    """A sentence, and what writes one."""
    done = squads("serve", cwd=tmp_path)

    assert done.returncode == 2
    assert "`squads init` writes some" in done.stderr


def _digest(top: Path, packet: str) -> str:
    shown = json.loads(squads("inbox", packet, "--json", cwd=top).stdout)
    return str(shown["composition"] if "composition" in shown else shown["question"]["composition"])
