"""Bundles of real ledgers: what comes along, under which checkpoint, and what is left out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Squad
from squads.adapters.memory_ledger import MemoryLedger
from squads.audit import audit
from squads.bundling import RUN_GAP_MAX, bundle_in, bundle_of
from squads.contracts.errors import InvalidInput, StorageUnavailable, UnknownPacket
from squads.kernel.ports import WORKSPACE
from squads.ledger.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from squads.ledger.offline import verify_bundle
from squads.stores import keys_of
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return None if request.param == "memory" else tmp_path / ".squads"


def squad(**more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder({"a.sql": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(looked=1), prior="g")],
        **more,
    )


async def test_a_bundle_holds_its_packet_and_the_workspace_and_nothing_else(store: Path | None) -> None:
    """Of two packets, one: the other's receipts stay at home, and that they are missing is said."""
    async with squad(store=store) as made:
        first = await made.run("The first.")
        second = await made.run("The second.")
        workspace = await made.workspace()
        bundle = await bundle_of(workspace.ledger, workspace.trust, first.packet)
        wanted = [
            *(await workspace.ledger.read(WORKSPACE)),
            *(await workspace.ledger.read(first.packet)),
        ]
        report = verify_bundle(bundle.to_json(), workspace.trust)

    assert sorted(stored.seq for stored in wanted) == [receipt.leaf.seq for receipt in bundle.receipts]
    assert second.packet.encode() not in b"".join(receipt.data for receipt in bundle.receipts)
    assert () == report.failed
    assert "unchecked" == report["completeness"].state
    assert "composed" == report.outcome


async def test_content_comes_along_when_it_is_asked_for(store: Path | None) -> None:
    """Brief, plan, manifest, files, verdicts: everything that the receipts name, each with its digest."""
    async with squad(store=store) as made:
        outcome = await made.run("A brief that only content tells.")
        workspace = await made.workspace()
        bare = await bundle_of(workspace.ledger, workspace.trust, outcome.packet)
        whole = await bundle_of(workspace.ledger, workspace.trust, outcome.packet, content=True)
        report = verify_bundle(whole.to_json(), workspace.trust)

    assert {} == bare.content
    assert b"A brief that only content tells." not in bare.to_json()
    assert b"x" in whole.content.values()
    assert any(b"A brief that only content tells." in found for found in whole.content.values())
    assert "passed" == report["content"].state


async def test_content_that_was_lost_is_left_out(store: Path | None) -> None:
    """A bundle can be made all the same, and the report says that some is not here."""
    async with squad(store=store) as made:
        outcome = await made.run("It.")
        workspace = await made.workspace()
        before = await bundle_of(workspace.ledger, workspace.trust, outcome.packet, content=True)
        lost = next(digest for digest, content in before.content.items() if content == b"x")
        await workspace.blobs.erase(lost)
        bundle = await bundle_of(workspace.ledger, workspace.trust, outcome.packet, content=True)
        report = verify_bundle(bundle.to_json(), workspace.trust)

    assert {lost} == before.content.keys() - bundle.content.keys()
    assert ("unchecked", 0) == (report["content"].state, report.exit_code)


async def test_receipts_far_apart_are_found() -> None:
    """Between two receipts of a packet may stand any number of others'."""
    made = squad()
    outcome = await made.run("It.")
    workspace = await made.workspace()
    for number in range(RUN_GAP_MAX):
        await workspace.grant("builder:carpenter", "waiver", expires_ms=number)
        await workspace.grant("human:mara", "waiver", expires_ms=number)
    bundle = await bundle_of(workspace.ledger, workspace.trust, outcome.packet)

    assert () == verify_bundle(bundle.to_json(), workspace.trust).failed
    assert 2 * RUN_GAP_MAX < len(bundle.receipts)


async def test_what_is_appended_meanwhile_stays_above_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is chosen first, so that a ledger at work gives a bundle of one moment."""
    made = squad()
    outcome = await made.run("It.")
    workspace = await made.workspace()
    read, size = workspace.ledger.read, (await workspace.ledger.head()).size

    async def late(stream: str, *, start: int = 0) -> Any:
        if stream == WORKSPACE and start == 0:
            monkeypatch.setattr(workspace.ledger, "read", read)
            await workspace.grant("builder:carpenter", "waiver")
        return await read(stream, start=start)

    monkeypatch.setattr(workspace.ledger, "read", late)
    bundle = await bundle_of(workspace.ledger, workspace.trust, outcome.packet)

    assert size == parse_checkpoint(bundle.checkpoint).size
    assert () == verify_bundle(bundle.to_json(), workspace.trust).failed
    assert size < (await workspace.ledger.head()).size


async def test_of_every_place_the_notes_that_matter_come_along() -> None:
    """The first that covers the packet, and the newest, each with its proof; junk stays where it is."""
    made = squad()
    outcome = await made.run("It.")
    workspace = await made.workspace()
    end = (await workspace.ledger.head()).size
    for _ in range(4):
        await workspace.grant("builder:carpenter", "waiver")
    notes = [*(await workspace.ledger.checkpoints()), "junk\n"]
    bundle = await bundle_of(workspace.ledger, workspace.trust, outcome.packet, notes={"a file": notes})
    report = verify_bundle(bundle.to_json(), workspace.trust)

    assert [end, end + 4] == [parse_checkpoint(one.note).size for one in bundle.anchored]
    assert "passed" == report["anchored"].state


async def test_a_note_that_contradicts_the_ledger_comes_along() -> None:
    """A fork is nothing to be hidden, and a ledger that is behind its anchor shows."""
    made = squad()
    outcome = await made.run("It.")
    workspace = await made.workspace()
    size = (await workspace.ledger.head()).size
    for other in (size, size + 9):
        note = sign_checkpoint(Checkpoint(workspace.trust.origin, other, b"\7" * 32), workspace.signer("log"))
        bundle = await bundle_of(workspace.ledger, workspace.trust, outcome.packet, notes={"a file": [note]})
        report = verify_bundle(bundle.to_json(), workspace.trust)

        assert ["anchored"] == [result.check for result in report.failed]
        assert (other == size) == bool(report.evidence)


async def test_an_unknown_packet_has_no_bundle() -> None:
    """And the error says where to look."""
    made = squad()
    await made.run("It.")
    workspace = await made.workspace()

    with pytest.raises(UnknownPacket, match="squads status"):
        await bundle_of(workspace.ledger, workspace.trust, "0" * 32)


async def test_a_kept_packet_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    """As everywhere else on the command line; what is no id, or names nothing, is said."""
    async with squad(store=tmp_path / ".squads") as made:
        outcome = await made.run("It.")
    bundle, trust = await bundle_in(tmp_path / ".squads", outcome.packet[:8])

    assert outcome.packet == bundle.packet
    assert () == verify_bundle(bundle.to_json(), trust).failed
    with pytest.raises(InvalidInput, match="no packet's id"):
        await bundle_in(tmp_path / ".squads", "work")
    with pytest.raises(UnknownPacket):
        await bundle_in(tmp_path / ".squads", "0" * 32)


async def test_where_there_is_no_ledger_none_is_founded(tmp_path: Path) -> None:
    """Asking for a bundle writes nothing but the bundle."""
    with pytest.raises(StorageUnavailable, match="no ledger"):
        await bundle_in(tmp_path / "nowhere", "abcd")

    assert not (tmp_path / "nowhere").exists()


async def test_a_ledger_that_is_not_the_trusted_one_does_not_verify() -> None:
    """Two workspaces on one machine: the bundle of the one says nothing to whoever trusts the other."""
    made, other = squad(), Workspace.memory()
    outcome = await made.run("It.")
    workspace = await made.workspace()
    bundle = await bundle_of(workspace.ledger, workspace.trust, outcome.packet)
    report = verify_bundle(bundle.to_json(), other.trust)

    assert ["framing", "checkpoint"] == [result.check for result in report.failed]
    assert isinstance(workspace.ledger, MemoryLedger)


async def test_a_bundle_needs_no_private_key_and_writes_nothing(tmp_path: Path) -> None:
    """Whoever may read the store may show a packet of it: an auditor has no keys, and leaves no trace."""
    async with squad(store=tmp_path / ".squads") as made:
        outcome = await made.run("It.")
        own = keys_of((await made.workspace()).trust)
    for key in own.glob("*.key"):
        key.unlink()
    before = {path: path.read_bytes() for path in (*own.iterdir(), tmp_path / ".squads" / "ledger.db")}
    bundle, trust = await bundle_in(tmp_path / ".squads", outcome.packet, content=True)

    assert () == verify_bundle(bundle.to_json(), trust).failed
    assert b"x" in bundle.content.values()
    assert before == {path: path.read_bytes() for path in (*own.iterdir(), tmp_path / ".squads" / "ledger.db")}


async def test_a_moment_is_bundled_as_its_ledger_is(tmp_path: Path) -> None:
    """Byte for byte: the same receipts, the same ways to the root."""
    async with squad(store=tmp_path / ".squads") as made:
        outcome = await made.run("It.")
        workspace = await made.workspace()
        live = await bundle_of(workspace.ledger, workspace.trust, outcome.packet, content=True)
    still, _ = await bundle_in(tmp_path / ".squads", outcome.packet, content=True)

    assert live.to_json() == still.to_json()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND idx = 1",
        "DELETE FROM node WHERE level = 1 AND idx = 3",
        "INSERT INTO node VALUES (9, 0, zeroblob(32))",
    ],
    ids=["changed", "removed", "added"],
)
async def test_an_audit_finds_what_proofs_would_stumble_over(tmp_path: Path, edit: str) -> None:
    """Stored subtrees are derived: no receipt is wrong for a wrong one, and a proof through it would be."""
    async with squad(store=tmp_path / ".squads") as made:
        await made.run("It.")
    sound = audit(tmp_path / ".squads")
    with closing(sqlite3.connect(tmp_path / ".squads" / "ledger.db", isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(edit)
    found = audit(tmp_path / ".squads")

    assert () == sound.failed
    assert ["nodes"] == [check.check for check in found.failed]
