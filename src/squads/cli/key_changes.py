"""What the commands for keys have in common: the workspace with its root brought along, and what became of keys."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import line
from squads.desk import Desk
from squads.key_events import KeyChange, opened
from squads.stores import Place
from squads.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What every command for keys is given."""

    root: Path | None
    store: Place | None
    as_json: bool
    request: Path | None = None
    """Where to write what the root would sign, instead of changing anything."""


def at_workspace(given: Given, doing: Callable[[Workspace], Awaitable[T]]) -> T:
    """Return what comes of doing something with the workspace, its root's key brought along."""

    async def run() -> T:
        async with Desk.open(given.store or default_store(), root=given.root) as desk:
            await opened(desk.workspace)
            return await doing(desk.workspace)

    return asyncio.run(run())


def as_data(change: KeyChange) -> dict[str, object]:
    """Return what became of a key, for a program."""
    return {"role": change.role, "key": change.key, "custody": change.custody, "changed_now": change.fresh}


def print_changes(changes: list[KeyChange], outside: bool, did: str, did_not: str, given: Given) -> None:
    """Print what became of keys: `did` where the log has news of them, `did_not` where it said so before."""
    if given.as_json:
        data = {"keys": [as_data(one) for one in changes], "anchored": outside, "exit_code": 0}
        sys.stdout.write(json.dumps(data) + "\n")
        return
    out = show.console()
    for one in changes:
        said, style = (did, "bold green") if one.fresh else (did_not, "yellow")
        line(out, (said, style), f": {one.role}, key {one.key[:16]}, {one.custody}", indent=0)
    if any(one.fresh for one in changes):
        line(
            out,
            "Signed by the root"
            + (", and anchored." if outside else "; no anchor is configured, see `squads anchors`."),
        )
