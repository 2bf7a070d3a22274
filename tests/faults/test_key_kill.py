"""A rotation that is killed at each of its steps: one key counts afterwards, and it is the one at hand."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

import quick_start
from squads.audit import audit
from squads.key_events import rotate_key
from squads.workspace import Workspace

PYTHON = quick_start.python()
CHILD = Path(__file__).with_name("key_child.py")


@pytest.mark.parametrize("point", ["made", "appended", "replaced"])
async def test_a_rotation_that_is_killed_leaves_one_key_that_counts(tmp_path: Path, point: str) -> None:
    """Before the append the old one, afterwards the new one; whoever opens the workspace next puts it in place."""
    store = tmp_path / "s"
    run = partial(subprocess.run, [PYTHON, CHILD, store, point], check=False, capture_output=True, timeout=60)
    died = await asyncio.to_thread(run)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()

    workspace = Workspace.open(store)
    await workspace.found(["gate:style"])
    (holder,) = workspace.view.holders("gate:style")
    known = [key for key in workspace.view.registry.keys.values() if "gate:style" in key.roles]

    assert holder == workspace.signer("gate:style").key_id.hex()
    assert len(known) == (1 if point == "made" else 2)
    change = await rotate_key(workspace, "gate:style")
    assert workspace.view.holders("gate:style") == [change.key]
    await workspace.close()
    assert audit(store).failed == ()
