"""Replay without manifests: as far as receipts go, and only where a receipt says that the content was erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from squads import Approved, Squad
from squads.erasing import erase
from squads.kernel.receipts import Receipt
from squads.kernel.replay import Diverged, Replay
from squads.signing import read_verified
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace


async def ledger_of(*, erased: bool) -> tuple[list[Receipt], str]:
    """The receipts of a workspace with one packet that composed, and the packet."""
    async with Squad(
        builder=ScriptedBuilder({"a.txt": "x"}, prior="b"), gates=[ScriptedGate("style", Approved(), prior="g")]
    ) as made:
        packet = (await made.run("It.")).packet
        workspace = await made.workspace()
        if erased:
            await erase(workspace, packet, person="owner")
        return await receipts_of(workspace), packet


async def receipts_of(workspace: Workspace) -> list[Receipt]:
    stored = [s for stream in await workspace.ledger.streams() for s in await workspace.ledger.read(stream)]
    return [read_verified(s, workspace.view if s.seq else None) for s in sorted(stored, key=lambda s: s.seq)]


def replayed(receipts: list[Receipt], *, absent: bool = False) -> Replay:
    replay = Replay(lambda digest: None, absent=absent)
    for receipt in receipts:
        replay.feed(receipt)
    replay.close()
    return replay


async def test_an_erased_packet_is_replayed_up_to_its_first_artifact() -> None:
    """What is behind it cannot be derived, and the log says why."""
    receipts, packet = await ledger_of(erased=True)
    first = next(r.seq for r in receipts if r.kind == "artifact")

    assert {packet: first} == replayed(receipts).blind


async def test_a_missing_manifest_that_nobody_erased_is_a_divergence() -> None:
    """Content that is gone without a receipt was taken away; who cannot read content at all says so."""
    receipts, packet = await ledger_of(erased=False)

    with pytest.raises(Diverged, match="no receipt says that the packet was erased"):
        replayed(receipts)
    assert [packet] == list(replayed(receipts, absent=True).blind)


async def test_the_rules_before_the_artifact_still_hold() -> None:
    """Erasing a packet does not excuse what was removed before it could matter."""
    receipts, _ = await ledger_of(erased=True)
    without = [r for r in receipts if r.kind != "plan"]

    with pytest.raises(Diverged):
        replayed(without)


@pytest.mark.parametrize(
    ("kind", "says"), [("ticket", "an output that the runner did not sign"), ("verdict", "no authority to sign")]
)
async def test_behind_the_artifact_authority_is_still_demanded(kind: str, says: str) -> None:
    """A receipt that its signer may not sign is a divergence, seen or unseen."""
    receipts, _ = await ledger_of(erased=True)
    program = next(r.keys for r in receipts if r.kind == "opened")
    forged = [replace(r, keys=program) if r.kind == kind else r for r in receipts]

    with pytest.raises(Diverged, match=says):
        replayed(forged)


async def test_nothing_follows_the_end_of_an_erased_packet() -> None:
    """Also where the rules cannot be asked."""
    receipts, packet = await ledger_of(erased=True)
    last = next(i for i, r in enumerate(receipts) if r.kind == "finish")
    verdict = next(r for r in receipts if r.kind == "verdict")

    with pytest.raises(Diverged, match=f"packet {packet} had already ended"):
        replayed([*receipts[: last + 1], verdict, *receipts[last + 1 :]])
