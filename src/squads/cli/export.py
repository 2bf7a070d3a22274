"""`squads export`: what is kept about somebody, or all of it, as files that other programs read and verify."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from rich.text import Text

from squads.bundling import bundle_of
from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import count, line, shown
from squads.contracts.errors import InvalidInput
from squads.desk import Desk
from squads.exporting import Exported, export
from squads.stores import Place


def export_store(subject: str | None, *, workspace: bool, out: Path | None, store: Place | None, as_json: bool) -> int:
    """Write an export and return 0; 2 where content is gone that nobody erased."""
    if (subject is None) != workspace:
        raise InvalidInput("say what to export: --subject NAME, or --workspace for everything that is kept here")
    where = (out or Path("export")).absolute()
    done = asyncio.run(_export(store or default_store(), where, subject))
    code = 2 if done.contents_lost else 0
    if as_json:
        sys.stdout.write(json.dumps({**done.model_dump(mode="json"), "out": str(where), "exit_code": code}) + "\n")
        return code
    screen = show.console()
    screen.print(Text(f"Exported to {shown(str(where))}", style="bold"))
    line(
        screen, f"{count(done.receipts, 'receipt')}, {count(done.contents, 'content')}, {count(done.bundles, 'bundle')}"
    )
    if done.erased is not None:
        line(screen, f"{done.subject} was erased, as receipt {done.erased:,} says: its content is not there any more")
    elif done.contents_erased:
        line(screen, f"{count(done.contents_erased, 'content')} erased, as receipts say: only digests are left")
    if done.contents_lost:
        lost = f"{count(done.contents_lost, 'content')} cannot be read, and nobody erased it; run `squads verify`"
        line(screen, ("lost: ", "bold red"), lost)
    return code


async def _export(store: Place, out: Path, subject: str | None) -> Exported:
    async with Desk.open(store) as desk:
        workspace = desk.workspace

        async def bundled(packet: str) -> bytes:
            return (await bundle_of(workspace.ledger, workspace.trust, packet, content=True)).to_json()

        return await export(workspace, out, subject=subject, bundle=bundled)
