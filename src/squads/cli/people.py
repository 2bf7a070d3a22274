"""`squads people`: whose keys may answer here, and how somebody gets one."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from rich.text import Text

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import line
from squads.desk import Desk
from squads.overview import Person
from squads.stores import Place


def show_people(*, add: str | None, root: Path | None, store: Place | None, as_json: bool) -> int:
    """Print whose keys may answer, after making one for `add` where a name is given, and return 0."""
    added, people = asyncio.run(_people(store or default_store(), add, root))
    if as_json:
        data: dict[str, object] = {"people": [p.model_dump(mode="json") for p in people], "exit_code": 0}
        if added is not None:
            data["added"] = added.model_dump(mode="json")
        sys.stdout.write(json.dumps(data) + "\n")
        return 0
    out = show.console()
    if added is not None:
        out.print(Text(f"{added.shown} has a key here; receipts call them {added.id}.", style="bold green"))
    if not people:
        out.print(Text("Nobody's key is registered here yet. `squads people --add NAME` makes one."))
    for person in people:
        name = person.name or "(name not known here)"
        where = "" if person.here else "; the key is not on this machine"
        line(out, (f"{name:<24}", "bold"), f" {person.id}{where}")
    return 0


async def _people(store: Place, add: str | None, root: Path | None) -> tuple[Person | None, tuple[Person, ...]]:
    async with Desk.open(store, root=root) as desk:
        added = None if add is None else await desk.add_person(add)
        return added, await desk.people()
