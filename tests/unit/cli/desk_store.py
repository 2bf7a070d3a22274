"""Stores for the commands of a desk, made by a squad that is gone, and the commands run as a person runs them."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import quick_start
from squads import ApprovalRule, Approved, Finding, Limits, Refused, Squad
from squads.contracts.outcome import Outcome
from squads.testing import ScriptedBuilder, ScriptedGate

SQUADS = quick_start.squads()
OWNER = ApprovalRule(approvers=("owner",))
NO = Refused(findings=(Finding(invariant="x.y", message="bad"),))
HOSTILE = "Evil \x1b[2J\x1b]0;owned\x07 title \u202e[bold]markup[/bold]\nmore"


def squads(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal."""
    return subprocess.run(
        [SQUADS, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def at_terminal(*arguments: str, cwd: Path, typed: str = "") -> tuple[int, str]:
    """Run a command at a terminal of its own with `typed` waiting in it; return its exit code and what it showed."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        [SQUADS, *arguments],
        cwd=cwd,
        stdin=child,
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        start_new_session=True,
    ) as process:
        os.close(child)
        os.write(parent, typed.encode())
        shown = b""
        while True:
            try:
                piece = os.read(parent, 65_536)
            except OSError:  # the other side is closed: how a terminal says that nobody writes any more
                break
            if not piece:
                break
            shown += piece
        code = process.wait(timeout=60)
    os.close(parent)
    return code, shown.decode()


def fill(
    place: Path, *briefs: str, approval: ApprovalRule | None = OWNER, refuse: bool = False, **more: Any
) -> list[Outcome]:
    """Run a packet for each brief in the store of `place`, with scripted roles that nobody has afterwards."""

    async def go() -> list[Outcome]:
        async with Squad(
            builder=ScriptedBuilder(*[{"schema/a.sql": f"SELECT {n};\n"} for n in range(len(briefs))], prior="b"),
            gates=[ScriptedGate("style", *[NO if refuse else Approved()] * len(briefs), prior="g")],
            store=place / ".squads",
            approval=approval,
            limits=Limits(attempts_max=1),
            **more,
        ) as made:
            await made.workspace()
            return [await made.run(brief) for brief in briefs]

    return asyncio.run(go())
