"""Erasing reaches the server of a bus: shared content and paid replies go, and another packet's stay."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Squad
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.blobs import RedisBlobs
from squads.adapters.redis_bus.journal import RedisJournal
from squads.adapters.redis_bus.link import Link
from squads.contracts.errors import StorageUnavailable
from squads.contracts.thinking import Step
from squads.erasing import erase
from squads.kernel.receipts import receipt_of
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.testing.redis_server import RedisServer
from squads.unsharing import unsharing
from squads.workspace import Workspace

OWN, SHARED = b"only of this packet", b"of both packets"


def squad(where: Path) -> Squad:
    answers: list[Any] = [{"own.txt": OWN.decode(), "b.txt": SHARED.decode()}, {"b.txt": SHARED.decode()}]
    return Squad(
        builder=ScriptedBuilder(*answers, prior="b"),
        gates=[ScriptedGate("style", Approved(), Approved(), prior="g")],
        store=where / "store",
        keys=where / "keys",
    )


async def tickets_of(workspace: Workspace, packet: str) -> list[str]:
    stored = await workspace.ledger.read(packet)
    receipts = [receipt_of(s.seq, s.payload_type, s.payload, (), s.time_ms) for s in stored]
    return [str(r.predicate["ticket"]) for r in receipts if r.kind == "ticket"]


async def test_an_erasure_reaches_the_server_of_the_bus(tmp_path: Path, redis_server: RedisServer) -> None:
    """What it has of the packet goes at once; what another packet has as well stays for that one."""
    async with squad(tmp_path) as made:
        gone, kept = (await made.run("It.")).packet, (await made.run("It.")).packet
        workspace = await made.workspace()
        link = Link.open(BusAddress.parse(redis_server.url))
        try:
            blobs = RedisBlobs(link, workspace.id)
            journal = RedisJournal(link, workspace.id, "style")
            step = Step(kind="model", input="0" * 64, turn=1, payload=b"words")
            tickets = [(await tickets_of(workspace, packet))[0] for packet in (gone, kept)]
            for content in (OWN, SHARED):
                await blobs.put(content)
            for ticket in tickets:
                await journal.put(ticket, step)

            done = await erase(workspace, gone, person="owner", unshare=unsharing(redis_server.url, workspace))

            assert 2 == done.unshared
            assert [False, True] == [await blobs.has(sha256(content).hexdigest()) for content in (OWN, SHARED)]
            assert [None, step] == [await journal.get(ticket, "model", "0" * 64, 1) for ticket in tickets]
        finally:
            await link.close()


async def test_a_server_that_is_away_keeps_nothing_here(tmp_path: Path) -> None:
    """The store's own content is gone all the same; the sentence says what is left where."""
    async with squad(tmp_path) as made:
        packet = (await made.run("It.")).packet
        workspace = await made.workspace()

        with pytest.raises(StorageUnavailable, match="could not be erased"):
            await erase(workspace, packet, person="owner", unshare=unsharing("redis://127.0.0.1:1", workspace))
        assert not await workspace.blobs.has(sha256(OWN).hexdigest())
        assert 0 == (await erase(workspace, packet, person="owner")).contents
