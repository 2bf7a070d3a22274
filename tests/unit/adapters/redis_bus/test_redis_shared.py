"""A whole packet whose hosts have nothing but the bus's server: content, large replies, and what was paid for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from squads import Approved, Artifact, Builder, Composed, Finding, Gate, Refused, Squad, session
from squads.adapters.local_bus import LocalBus
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.blobs import KEEP_SECONDS, RedisBlobs
from squads.adapters.redis_bus.content import picked_up, set_down
from squads.adapters.redis_bus.journal import RedisJournal
from squads.adapters.redis_bus.link import Link
from squads.adapters.sealed_journal import SealedJournal, SignatureSeal
from squads.contracts.messages import Envelope, Signed
from squads.contracts.work import BuildWork
from squads.handover import Reader
from squads.kernel.model_ports import Journal
from squads.offering import Offering
from squads.runner import Runner
from squads.testing import FixedSigner, ScriptedModel
from squads.testing.redis_server import RedisServer
from squads.worker import Worker

FINDING = Finding(invariant="text.long", message="It is too short.", evidence="1")


@pytest.fixture(scope="module", params=RedisServer.available())
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Link]:
    link = Link.open(BusAddress.parse(server.url))
    yield link
    await link.close()


class Writer(Builder):
    """Writes more than fits into a message, and again where it was refused."""

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a.txt": f"{work.attempt} " * 30_000})


async def test_a_packet_composes_with_hosts_that_share_nothing_else(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They read and write Redis alone; each model is paid once a reading, and its words are found there, signed."""
    named: list[str] = []
    signer = FixedSigner("gate elsewhere")

    def shared(workspace: Any) -> RedisBlobs:
        return RedisBlobs(link, workspace.id, keep_seconds=KEEP_SECONDS)

    class Wire(LocalBus):
        async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
            blobs = RedisBlobs(link, workspace.id, keep_seconds=KEEP_SECONDS)
            sent = await set_down(envelope, blobs)
            sent = Envelope.model_validate_json(sent.model_dump_json(), strict=True)
            if isinstance(sent.body, Signed):
                named.extend(sent.body.stored)
            return await super().send(await picked_up(sent, blobs), timeout=timeout)

    def runner(workspace: Any, *arguments: Any, **options: Any) -> Runner:
        offer = Offering(Reader(workspace.blobs), shared(workspace))
        return Runner(workspace, *arguments, **{**options, "offer": offer})

    def worker(bus: Any, reader: Reader, *arguments: Any, **options: Any) -> Worker:
        return Worker(bus, Reader(shared(workspace)), *arguments, **options)

    def sealed(kept: Journal, secret: Any) -> SealedJournal:
        known = {signer.key_id: (signer.public_key, frozenset({"gate:reads"}))}
        return SealedJournal(
            RedisJournal(link, workspace.id, "reads", keep_seconds=KEEP_SECONDS),
            SignatureSeal("gate:reads", signer, known.get),
        )

    monkeypatch.setattr(session, "LocalBus", Wire)
    monkeypatch.setattr(session, "Runner", runner)
    monkeypatch.setattr(session, "Worker", worker)
    monkeypatch.setattr(session, "SealedJournal", sealed)
    model = ScriptedModel(Refused(findings=[FINDING]), Approved())
    squad = Squad(
        builder=Writer(prior="w"),
        gates=[Gate(name="reads", prior="r", model="scripted:gate")],
        models={"scripted:gate": model},
    )
    workspace = await squad.workspace()

    outcome = await squad.run("A text.")
    steps = [key async for key in _keys(link, f"sq:{{{workspace.id}}}:step:reads:*")]
    await squad.close()

    assert isinstance(outcome, Composed)
    assert "2 " * 30_000 == outcome.artifact.files[0].text
    assert 2 <= len(set(named))
    assert 2 == len(model.asked) == len(steps)


async def _keys(link: Link, pattern: str) -> AsyncIterator[str]:
    cursor: Any = b"0"
    while True:
        cursor, keys = await link.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000)
        for key in keys:
            yield key.decode()
        if cursor == b"0":
            return
