"""`squads dead`: what nobody could handle, why, and sending one of them again.

Whatever a dead letter holds may be anybody's bytes: it is shown bounded and escaped, never as a command to a terminal.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.border import REASONS, Border
from squads.adapters.redis_bus.dead import DeadLetters, Letter
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.seals import KnownKey, OwnSeals, Seals, SharedSeals, shared_key
from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import count, line, moment, shown
from squads.contracts.errors import InvalidInput, KeyUnavailable
from squads.contracts.messages import RUNNER, Envelope
from squads.desk import Desk
from squads.kernel.ports import Signer
from squads.stores import Place, keys_of
from squads.workspace import Workspace

BUS_KEY = "bus"
BODY_CHARS_MAX = 4_000
"""How much of one letter is printed."""


def list_dead(
    *, bus: str | None, signing: str, limit: int, after: str | None, oldest: bool, store: Place | None, as_json: bool
) -> int:
    """Print a page of the dead letters and return 0."""
    return asyncio.run(_list(bus, signing, limit, after, store, oldest=oldest, as_json=as_json))


def show_dead(id: str, *, bus: str | None, signing: str, store: Place | None, as_json: bool) -> int:
    """Print one dead letter and return 0."""
    return asyncio.run(_show(id, bus, signing, store, as_json=as_json))


def replay_dead(id: str, *, bus: str | None, signing: str, store: Place | None, as_json: bool) -> int:
    """Send one dead letter again and return 0."""
    return asyncio.run(_replay(id, bus, signing, store, as_json=as_json))


async def _list(
    bus: str | None, signing: str, limit: int, after: str | None, store: Place | None, *, oldest: bool, as_json: bool
) -> int:
    async with _letters(bus, signing, store) as letters:
        total = await letters.count()
        page = await letters.page(limit=limit, after=after, oldest=oldest)
        more = bool(page) and bool(await letters.page(limit=1, after=page[-1].id, oldest=oldest))
    if as_json:
        _print_json({"total": total, "more": more, "letters": [_summary(letter) for letter in page]})
        return 0
    out = show.console()
    if not page:
        line(out, "No dead letters." if not total else "No more dead letters.", indent=0)
        return 0
    order = "oldest first" if oldest else "newest first"
    line(out, f"{count(total, 'dead letter')}, {order}.", indent=0)
    for letter in page:
        out.print()
        line(out, (letter.id, "bold"), f"  {_way(letter)}", indent=0)
        line(out, f"{moment(letter.died_ms)}, {count(len(letter.raw), 'byte')}, delivered {_times(letter.deliveries)}")
        line(out, (shown(letter.reason), "yellow"), _meaning(letter.reason))
        if letter.refused:
            line(out, f"never sent again: {letter.refused}")
        else:
            line(out, f"send it again: squads dead replay {letter.id}")
    if more:
        out.print()
        line(out, f"more: squads dead list --after {page[-1].id}{' --oldest' if oldest else ''}", indent=0)
    return 0


async def _show(id: str, bus: str | None, signing: str, store: Place | None, *, as_json: bool) -> int:
    async with _letters(bus, signing, store) as letters:
        letter = await letters.find(id)
    body, left_out = _body(letter)
    if as_json:
        _print_json({**_summary(letter), "key": letter.key_id.hex(), "body": body, "body_chars_left_out": left_out})
        return 0
    out = show.console()
    line(out, (letter.id, "bold"), f"  {_way(letter)}", indent=0)
    line(out, f"died {moment(letter.died_ms)}, delivered {_times(letter.deliveries)}")
    line(out, (shown(letter.reason), "yellow"), _meaning(letter.reason))
    line(out, f"entry {shown(letter.entry)} of {shown(letter.edge)}")
    line(out, f"{count(len(letter.raw), 'byte')}, key id {_key(letter.key_id)}")
    if letter.refused:
        line(out, ("not a genuine message: ", "red"), f"{letter.refused}{_meaning(letter.refused)}")
        line(out, "what follows may be anybody's words")
    for row in body.split("\n"):
        line(out, f"| {row}")
    if left_out:
        line(out, f"… {left_out:,} more characters")
    return 0


async def _replay(id: str, bus: str | None, signing: str, store: Place | None, *, as_json: bool) -> int:
    async with _letters(bus, signing, store) as letters:
        letter = await letters.replay(id)
    if as_json:
        _print_json({"replayed": True, **_summary(letter)})
        return 0
    out = show.console()
    line(out, ("Sent again: ", "bold green"), f"{letter.id}  {_way(letter)}", indent=0)
    line(out, "It is a dead letter no more. Should it fail as before, it becomes one again.")
    return 0


# How a letter is shown. ----------------------------------------------------------------------------------------------


def _way(letter: Letter) -> str:
    if letter.envelope is None:
        return "from nobody who can be known"
    sent = letter.envelope
    return f"{shown(sent.sender)} → {shown(sent.address)}, {sent.body.kind}, packet {sent.packet[:8]}"


def _times(deliveries: int) -> str:
    return "once" if deliveries == 1 else f"{deliveries:,} times"


def _meaning(reason: str) -> str:
    return f": {REASONS[reason]}" if reason in REASONS else ""


def _key(key_id: bytes) -> str:
    return "shared" if key_id == b"shared" else key_id.hex()[:64] or "missing"


def _body(letter: Letter) -> tuple[str, int]:
    """Return what of a letter's bytes is shown, escaped, and how many characters are left out."""
    if letter.envelope is not None:
        text = _pretty(letter.envelope)
    else:
        text = letter.raw[: BODY_CHARS_MAX * 4].decode("utf-8", "backslashreplace").replace("\n", "\\n")
    text = show.visible(text)
    cut = text[:BODY_CHARS_MAX]
    whole = len(text) + max(0, len(letter.raw) - BODY_CHARS_MAX * 4) * (letter.envelope is None)
    return cut, whole - len(cut)


def _pretty(envelope: Envelope) -> str:
    return json.dumps(envelope.model_dump(mode="json"), indent=2, ensure_ascii=False)


def _summary(letter: Letter) -> dict[str, Any]:
    sent = letter.envelope
    return {
        "id": letter.id,
        "died_ms": letter.died_ms,
        "reason": show.visible(letter.reason),
        "deliveries": letter.deliveries,
        "size_bytes": len(letter.raw),
        "edge": show.visible(letter.edge),
        "entry": show.visible(letter.entry),
        "genuine": sent is not None,
        "refused": letter.refused,
        "sender": sent and sent.sender,
        "recipient": sent and sent.address,
        "kind": sent and sent.body.kind,
        "packet": sent and sent.packet,
    }


def _print_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({**data, "exit_code": 0}) + "\n")


# Where they are. -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _letters(bus: str | None, signing: str, store: Place | None) -> AsyncIterator[DeadLetters]:
    if not bus:
        raise InvalidInput("no bus was named; give --bus redis://HOST:PORT, or set SQUADS_BUS")
    address = BusAddress.parse(bus)
    async with Desk.open(store or default_store()) as desk:
        await desk.workspace.found(())
        border = Border(desk.workspace.id, seals_of(desk.workspace, signing))
        link = Link.open(address)
        try:
            yield DeadLetters(link, border)
        finally:
            await link.close()


def seals_of(workspace: Workspace, signing: str) -> Seals:
    """Return the seals of a runner of this workspace. Raises `KeyUnavailable`, `InvalidInput`."""
    if signing == "shared":
        # Looked for before it is asked for: a key that is made now knows nothing of what was ever sent.
        if not (keys_of(workspace.trust) / f"{BUS_KEY}.key").exists():
            raise KeyUnavailable(
                "this workspace's bus.key is not on this machine: nothing was ever sent over a bus from here; look "
                "where its runner is, or say --signing own if its workers have keys of their own"
            )
        return SharedSeals(shared_key(workspace.signer(BUS_KEY)))
    if signing != "own":
        raise InvalidInput(f"--signing is 'shared' or 'own', not {signing!r:.40}")

    def signer_of(sender: str) -> Signer:
        if sender != RUNNER:
            raise KeyUnavailable(f"only the runner's messages are signed here, not those of {sender!r}")
        return workspace.signer(RUNNER)

    def key_of(key_id: bytes) -> KnownKey | None:
        view = workspace.view
        public, roles = view.registry.public_key(key_id), view.registry.roles_of(key_id, view.index)
        return (public, roles) if public is not None and roles else None

    return OwnSeals(signer_of, key_of)
