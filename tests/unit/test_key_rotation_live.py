"""Keys that change under a squad at work: rotated ones are picked up, revoked ones let nothing through."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Composed, Limits, NotComposed, Squad
from squads.audit import audit
from squads.contracts.errors import KeyUnavailable
from squads.key_events import revoke_key, rotate_key
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace


class Kit:
    """A squad with a store, and another process at the same store."""

    def __init__(self, place: Path) -> None:
        self.store = place / "s"
        self.meanwhile: Any = None

        async def approves(_: Any) -> Approved:
            if self.meanwhile is not None:
                doing, self.meanwhile = self.meanwhile, None
                await doing()
            return Approved()

        self.squad = Squad(
            builder=ScriptedBuilder(*[lambda work: work.artifact({"a": work.brief})] * 9, prior="b"),
            gates=[ScriptedGate("style", *[approves] * 9, prior="g")],
            store=self.store,
            limits=Limits(attempts_max=1),
        )

    async def elsewhere(self, change: Any, *given: Any, **more: Any) -> None:
        """Change keys as another process does."""
        other = Workspace.open(self.store)
        await other.refresh()
        for role in given:
            await change(other, role, **more)
        await other.close()


@pytest.fixture
async def kit(tmp_path: Path) -> Any:
    made = Kit(tmp_path)
    await made.squad.workspace()
    yield made
    await made.squad.close()


@pytest.mark.parametrize("roles", [("runner",), ("program",), ("runner", "program", "gate:style", "builder:builder")])
async def test_a_squad_goes_on_with_keys_that_were_rotated_between_packets(kit: Kit, roles: tuple[str, ...]) -> None:
    """It signs with the new ones from the first receipt on, and the ledger verifies."""
    await kit.squad.run("One.")
    await kit.elsewhere(rotate_key, *roles)
    outcome = await kit.squad.run("Two.")

    assert isinstance(outcome, Composed)
    assert audit(kit.store).failed == ()


@pytest.mark.parametrize("roles", [("gate:style",), ("runner",), ("runner", "gate:style", "builder:builder")])
async def test_a_squad_goes_on_with_keys_that_were_rotated_under_its_hands(kit: Kit, roles: tuple[str, ...]) -> None:
    """A verdict that the old key signed is no verdict: the gate is asked once more, and its new key signs."""
    kit.meanwhile = lambda: kit.elsewhere(rotate_key, *roles)
    outcome = await asyncio.wait_for(kit.squad.run("One."), 30)

    assert isinstance(outcome, Composed)
    assert audit(kit.store).failed == ()


async def test_what_was_signed_a_moment_too_late_is_signed_again(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's key is rotated after the workspace was read and before the packet is opened."""
    workspace, found = workspace_of(kit), workspace_of(kit).found

    async def found_and_rotated(roles: Any) -> None:
        await found(roles)
        await kit.elsewhere(rotate_key, "program")

    monkeypatch.setattr(workspace, "found", found_and_rotated)
    outcome = await asyncio.wait_for(kit.squad.run("One."), 30)

    assert isinstance(outcome, Composed)
    assert audit(kit.store).failed == ()


async def test_a_runner_whose_key_was_revoked_stops_and_says_so(kit: Kit) -> None:
    """Nothing that it signed would count, so it signs nothing; the packet stays open."""
    kit.meanwhile = lambda: kit.elsewhere(revoke_key, "runner", reason="compromised")

    with pytest.raises(KeyUnavailable, match=r"the key of runner was revoked \(compromised\) at receipt"):
        await asyncio.wait_for(kit.squad.run("One."), 30)
    assert audit(kit.store).failed == ()


async def test_a_squad_with_a_revoked_gate_begins_nothing(kit: Kit) -> None:
    """It says which key, since when, and the command that would let the gate speak again."""
    await kit.squad.run("One.")
    await kit.elsewhere(revoke_key, "gate:style", reason="lost")

    with pytest.raises(KeyUnavailable, match=r"squads keys add gate:style"):
        await kit.squad.run("Two.")


async def test_a_gate_that_was_revoked_at_work_lets_nothing_through(kit: Kit, caplog: Any) -> None:
    """Its word does not count, and no other key is made for it."""
    kit.meanwhile = lambda: revoked_and_read(kit)
    outcome = await asyncio.wait_for(kit.squad.run("One."), 30)

    assert isinstance(outcome, NotComposed)
    assert "the key of gate:style was revoked (compromised)" in caplog.text
    assert audit(kit.store).failed == ()


async def revoked_and_read(kit: Kit) -> None:
    await kit.elsewhere(revoke_key, "gate:style", reason="compromised")
    await workspace_of(kit).refresh()


def workspace_of(kit: Kit) -> Workspace:
    """The squad's own workspace, which is open by now."""
    found = kit.squad._workspace
    assert found is not None
    return found
