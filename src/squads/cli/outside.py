"""What `squads anchors` does: the anchors of a workspace named, added, taken away and looked at."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from squads.anchor_check import SAID, SeenAnchor, check_anchor
from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import count, line, shown
from squads.contracts.errors import InvalidInput
from squads.desk import Desk
from squads.ledger.trust import Trust
from squads.outside import OpenedAnchor, anchor_at, anchors_in, urls_in, write_urls
from squads.stores import Place, keys_of, trust_in


def add_anchor(url: str, *, store: Place | None, as_json: bool) -> int:
    """Check an anchor and name it in the workspace's keys directory; return 0, or 2 where it cannot be relied on."""
    where, trust, own = _here(store)
    urls = urls_in(own)
    made = anchor_at(url, trust.origin, create=True)
    if made.name in (anchor_at(known, trust.origin).name for known in urls):
        raise InvalidInput(f"{made.name} is an anchor of this workspace already")
    (seen,) = asyncio.run(_checked(where, trust, [made]))
    if seen.sound:
        write_urls(own, [*urls, url])
    return _told([seen], as_json, limit=1, added=url if seen.sound else None)


def remove_anchor(url: str, *, store: Place | None, as_json: bool) -> int:
    """Take an anchor's address out of the workspace's keys directory; return 0."""
    _, trust, own = _here(store)
    urls = urls_in(own)
    names = {known: anchor_at(known, trust.origin).name for known in urls}
    gone = [known for known in urls if url in (known, names[known])]
    if not gone:
        raise InvalidInput(f"{url:.120} is no anchor of this workspace; it has {', '.join(urls) or 'none'}")
    left = [known for known in urls if known not in gone]
    write_urls(own, left)
    return _said({"removed": gone, "anchors": left}, as_json, lambda out: line(out, f"removed {shown(gone[0])}"))


def list_anchors(*, store: Place | None, as_json: bool) -> int:
    """Print the workspace's anchors, and return 0."""
    _, _, own = _here(store)
    urls = urls_in(own)

    def told(out: Console) -> None:
        for url in urls:
            line(out, shown(url))
        if not urls:
            line(out, "no anchor: a restored copy shows only in the checkpoint file; `squads anchors add URL`")

    return _said({"anchors": urls}, as_json, told)


def check_anchors(*, limit: int, store: Place | None, as_json: bool) -> int:
    """Check every anchor of the workspace; return 0, or 2 where one cannot be relied on or there is none."""
    where, trust, own = _here(store)
    anchors = anchors_in(own, trust.origin)
    if not anchors:
        raise InvalidInput("this workspace has no anchor; `squads anchors add URL` adds one")
    return _told(asyncio.run(_checked(where, trust, anchors)), as_json, limit=limit)


def _here(store: Place | None) -> tuple[Place, Trust, Path]:
    where = store or default_store()
    trust = trust_in(where)
    return where, trust, keys_of(trust)


async def _checked(store: Place, trust: Trust, anchors: Sequence[OpenedAnchor]) -> list[SeenAnchor]:
    try:
        async with Desk.open(store) as desk:
            ledger = desk.workspace.ledger
            return list(await asyncio.gather(*(check_anchor(a, ledger, trust.log_key) for a in anchors)))
    finally:
        for anchor in anchors:
            await anchor.close()


def _told(found: Sequence[SeenAnchor], as_json: bool, *, limit: int, added: str | None = None) -> int:
    code = 0 if all(seen.sound for seen in found) else 2
    data: dict[str, Any] = {"anchors": [{**s.model_dump(mode="json"), "sound": s.sound} for s in found]}
    if added is not None:
        data["added"] = added

    def told(out: Console) -> None:
        for seen in found:
            _print(out, seen, limit)

    return _said(data, as_json, told, code)


def _print(out: Console, seen: SeenAnchor, limit: int) -> None:
    mark, colour = ("✓", "green") if seen.sound else ("✗", "red")
    words = (
        shown(seen.error)
        if seen.error
        else f"covers {count(seen.covered, 'receipt')}, {count(len(seen.notes), 'note')}"
    )
    line(out, (f"{mark} ", f"bold {colour}"), (shown(seen.anchor), "bold"), f": {words}")
    sound = [note for note in seen.notes if note.state == "held"]
    for note in (n for n in seen.notes if n.state != "held" or n in sound[-limit:]):
        style = {"held": "green", "foreign": "dim", "unsigned": "yellow"}.get(note.state, "bold red")
        size = "" if note.size is None else f"{note.size:,}"
        line(out, (f"{note.state:<9}", style), f"{size:>14} {note.root[:16]:<16}  {SAID[note.state]}", indent=4)
    if len(sound) > limit:
        line(out, f"… and {len(sound) - limit:,} older notes that the ledger bears out", indent=4)


def _said(data: dict[str, Any], as_json: bool, told: Callable[[Console], object], code: int = 0) -> int:
    if as_json:
        sys.stdout.write(json.dumps({**data, "exit_code": code}) + "\n")
    else:
        out = show.console()
        told(out)
        if "added" in data:
            out.print(Text("Every checkpoint goes there from now on.", style="bold green"))
    return code
