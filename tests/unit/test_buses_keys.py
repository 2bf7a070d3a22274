"""Whose word a runner takes on a bus where every role has a key of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from squads import Squad
from squads.adapters.redis_bus.seals import Unacceptable
from squads.buses import BusSettings, RunnerBus
from squads.contracts.messages import RUNNER, Envelope
from squads.handover import Reader
from squads.kernel.ports import WORKSPACE
from squads.ledger.statement import statement_bytes
from squads.signing import signed_entry
from squads.stores import ROOT
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate, seeded_entropy
from squads.testing.bus_letters import letter
from squads.workspace import Workspace


class Kit:
    """A runner's bus, never connected, and the keys of its workspace."""

    def __init__(self, squad: Squad, workspace: Workspace) -> None:
        self.workspace = workspace
        records = {name: role[1] for name, role in squad._roles.items()}
        settings = BusSettings(url="redis://127.0.0.1:1", signing="own")
        self.shared = RunnerBus(settings, workspace, records, Reader(workspace.blobs))
        self.edge = self.shared.bus.names.replies("style")

    def said(self, number: int = 1) -> Envelope:
        return letter(number).but(sender="style", recipient=RUNNER, prior=None)

    async def revoke(self, role: str) -> None:
        """Revoke a key as another process does: this one has not read of it."""
        key = self.workspace.signer(role).key_id
        size = (await self.workspace.ledger.head()).size
        said = {"event": "revoke", "key": key.hex(), "reason": "lost", "suspect_from_index": size}
        payload = statement_bytes("key-event", [("key", key.hex())], said)
        entry = signed_entry(WORKSPACE, payload, self.workspace.signer(ROOT))
        await self.workspace.ledger.append(
            [entry], expect={WORKSPACE: self.workspace.view.length}, time_ms=self.workspace.now_ms()
        )


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    squad = Squad(
        builder=ScriptedBuilder(prior="b"),
        gates=[ScriptedGate("style", prior="s")],
        clock=FixedClock(),
        entropy=seeded_entropy(1),
    )
    kit = Kit(squad, await squad.workspace())
    yield kit
    await kit.shared.bus.close()
    await squad.close()


async def admitted(kit: Kit, fields: dict[bytes, bytes]) -> Any:
    return await kit.shared.bus.border.admit(fields, kit.edge)


async def test_a_role_is_heard_under_its_own_key(kit: Kit) -> None:
    """The log says that this key holds this role."""
    fields = kit.shared.bus.border.written(kit.said(), kit.edge.key)

    assert await admitted(kit, fields) == kit.said()


async def test_a_key_that_was_revoked_is_nobodys(kit: Kit) -> None:
    """Neither a message nor a step of the journal counts that it signed before, once the log says so."""
    fields = kit.shared.bus.border.written(kit.said(), kit.edge.key)
    seal = kit.shared._seal("style")
    mark = seal.mark(b"where", b"paid")
    assert seal.holds(mark, b"where", b"paid")

    await kit.revoke("gate:style")
    await kit.workspace.refresh()

    with pytest.raises(Unacceptable, match="unknown-key"):
        await admitted(kit, fields)
    assert not seal.holds(mark, b"where", b"paid")


async def test_another_roles_key_says_nothing(kit: Kit) -> None:
    """A builder's key on a gate's edge."""
    raw = kit.shared.bus.border.written(kit.said(), kit.edge.key)[b"b"]
    key, mark = kit.shared.bus.border.seals.seal("builder", kit.edge.key, raw)

    with pytest.raises(Unacceptable, match="wrong-role"):
        await admitted(kit, {b"b": raw, b"k": key, b"s": mark})
