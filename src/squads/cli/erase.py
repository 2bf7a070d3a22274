"""`squads erase`: everything that is kept about a packet, a person or a name goes, after a receipt that says so."""

from __future__ import annotations

import asyncio
import json
import sys

from rich.console import Console
from rich.text import Text

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import count, line, short, shown
from squads.contracts.errors import InvalidInput
from squads.desk import Desk
from squads.erasing import Erasable, Erased, erase, look
from squads.stores import Place
from squads.unsharing import unsharing

PACKETS_SHOWN_MAX = 20


def erase_subject(
    subject: str, *, person: str, yes: bool, store: Place | None, as_json: bool, bus: str | None = None
) -> int:
    """Show what would go, ask once, erase it as `person`, and return 0; 3 where nobody said yes.

    `bus` is the address of a server from which it goes as well.
    """
    where = store or default_store()
    asked = sys.stdin.isatty() and not as_json
    if not yes and not asked:
        raise InvalidInput("erasing cannot be undone, and nobody can be asked here; say --yes to erase all the same")
    found = asyncio.run(_look(where, subject))
    if not as_json:
        _show(show.console(), found, subject)
    if not yes and not _confirmed(person):
        show.console().print(Text("Nothing was erased.", style="yellow"))
        return 3
    # What was shown is what goes: under its id, whatever else bears that name by now.
    done = asyncio.run(_erase(where, found.subject, person, bus))
    if as_json:
        data = {**done.model_dump(mode="json"), "found": found.model_dump(mode="json"), "erased_as": person}
        sys.stdout.write(json.dumps({**data, "exit_code": 0}) + "\n")
        return 0
    _say(show.console(), done, bus)
    return 0


async def _look(store: Place, subject: str) -> Erasable:
    async with Desk.open(store) as desk:
        return await look(desk.workspace, subject)


async def _erase(store: Place, subject: str, person: str, bus: str | None) -> Erased:
    async with Desk.open(store) as desk:
        unshare = unsharing(bus, desk.workspace) if bus else None
        return await erase(desk.workspace, subject, person=person, unshare=unshare)


def _show(out: Console, found: Erasable, subject: str) -> None:
    out.print(Text(f"What is kept about {shown(subject)}", style="bold"))
    line(out, f"receipts call it {found.subject}")
    line(out, f"{count(len(found.packets), 'packet')}, with every brief, plan, file, verdict and model's reply in them")
    for packet in found.packets[:PACKETS_SHOWN_MAX]:
        line(out, short(packet), indent=4)
    if len(found.packets) > PACKETS_SHOWN_MAX:
        line(out, f"… and {len(found.packets) - PACKETS_SHOWN_MAX} more", indent=4)
    line(out, f"{count(found.words, 'statement')} that it wrote: reasons of answers, waivers, stops and lifts")
    line(out, f"what stays: {count(found.receipts, 'receipt')}, with digests, opaque ids, numbers and times")
    if found.speaks:
        words = f"what {shown(subject)} writes from then on is not kept either: answers, stops and lifts count"
        line(out, ("! ", "bold yellow"), f"{words}, and their reasons are gone at once")
    if found.erased is not None:
        line(out, f"receipt {found.erased:,} says that it was erased before; what is left of it goes now")


def _say(out: Console, done: Erased, bus: str | None) -> None:
    receipts = ", ".join(f"{index:,}" for index in done.receipts)
    out.print(Text(f"Erased: {count(done.contents, 'content')} of {count(len(done.packets), 'packet')}.", style="bold"))
    line(out, f"receipt {receipts} says so; the ledger, its proofs and its anchors stay valid")
    line(out, "copies of the database open nothing of it without the keys that were destroyed here")
    if bus:
        line(out, f"{count(done.unshared, 'thing')} went from the bus's server; its append-only file forgets them next")
    else:
        line(out, "what was shared over a bus expires on its server within 9 days after it was last asked for")


def _confirmed(person: str) -> bool:
    # On standard error: what was shown may be piped on, and the question must reach whoever types.
    sys.stderr.write(f"Erase all of it for good, as {shown(person)}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
