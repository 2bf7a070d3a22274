"""Exports: whole or not at all, private, readable by any program, and provable by a stranger."""

from __future__ import annotations

import json
import stat
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, Squad
from squads.bundling import bundle_of
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.erasing import erase
from squads.exporting import FORMAT, Exported, export
from squads.ledger.leaf import decode_leaf
from squads.ledger.offline import verify_bundle
from squads.ledger.trust import Trust
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace

LETTER = "Dear Ada,\n"


def squad(**more: Any) -> Squad:
    files = {"letter.txt": LETTER, "seal.bin": b"\xff\x00"}
    return Squad(
        builder=ScriptedBuilder(*[files] * 9, prior="b"),
        gates=[ScriptedGate("style", *[Approved()] * 9, prior="g")],
        **more,
    )


async def exported(workspace: Workspace, out: Path, subject: str | None = None) -> Exported:
    async def bundled(packet: str) -> bytes:
        return (await bundle_of(workspace.ledger, workspace.trust, packet, content=True)).to_json()

    return await export(workspace, out, subject=subject, bundle=bundled)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def whole(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def modes(where: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in (where, *where.rglob("*"))}


def names(where: Path) -> list[str]:
    return sorted(path.name for path in where.iterdir())


async def test_a_subjects_export_holds_its_packets_and_nothing_of_others(tmp_path: Path) -> None:
    """Receipts in order with their exact bytes, content as text or base64, and a bundle that verifies for each."""
    async with squad() as made:
        mine = await made.run("It.", subject="customer-17")
        other = await made.run("A secret of somebody else.", subject="customer-18")
        workspace = await made.workspace()
        done = await exported(workspace, tmp_path / "out", "customer-17")

    out = tmp_path / "out"
    receipts, contents = lines(out / "receipts.jsonl"), lines(out / "content.jsonl")
    assert [*sorted(r["seq"] for r in receipts)] == [r["seq"] for r in receipts]
    assert {mine.packet} == {r["stream"] for r in receipts}
    assert (done.receipts, done.contents, 1, 0) == (len(receipts), len(contents), done.bundles, done.contents_lost)
    for receipt in receipts:
        leaf = decode_leaf(b64decode(receipt["leaf"]))
        assert (leaf.seq, leaf.time_ms) == (receipt["seq"], receipt["time_ms"])
        assert receipt["predicate"] == json.loads(leaf.payload)["predicate"]
        assert [key.hex() for key, _ in leaf.signatures] == [s["key"] for s in receipt["signatures"]]
    by_digest = {c["digest"]: c for c in contents}
    assert LETTER == by_digest[sha256(LETTER.encode()).hexdigest()]["content"]
    assert "base64" == by_digest[sha256(b"\xff\x00").hexdigest()]["encoding"]
    for content in contents:
        data = content["content"].encode() if content["encoding"] == "utf-8" else b64decode(content["content"])
        assert (content["digest"], content["size_bytes"]) == (sha256(data).hexdigest(), len(data))
    assert "secret of somebody else" not in (out / "content.jsonl").read_text()
    assert other.packet not in (out / "receipts.jsonl").read_text()
    trust = Trust.from_json((out / "trust.json").read_bytes())
    report = verify_bundle((out / "bundles" / f"{mine.packet}.json").read_bytes(), trust)
    assert () == tuple(report.failed)
    assert {"format": FORMAT, **done.model_dump(mode="json")} == whole(out / "export.json")
    assert modes(out) == {0o700, 0o600}


async def test_a_workspaces_export_holds_every_receipt(tmp_path: Path) -> None:
    """From the opening of the log to its end, gapless."""
    async with squad() as made:
        await made.run("It.")
        await made.run("It.", subject="customer-17")
        workspace = await made.workspace()
        await workspace.stop("enough", role="human:owner")
        done = await exported(workspace, tmp_path / "out")
        size = (await workspace.ledger.head()).size

    receipts = lines(tmp_path / "out" / "receipts.jsonl")
    assert list(range(size)) == [r["seq"] for r in receipts]
    assert (None, 2, size) == (done.subject, done.bundles, done.receipts)
    assert ("stop", "workspace") == (receipts[-1]["kind"], receipts[-1]["stream"])


async def test_a_persons_export_holds_what_they_said_in_others_packets(tmp_path: Path) -> None:
    """Their answers and stops with their words, and not the packets that these are about."""
    async with squad(approval=ApprovalRule(approvers=("owner",))) as made:
        waiting = await made.run("A secret of somebody else.")
        await made.answer(waiting.packet, person="owner", approve=True, reason="I know her", channel="terminal")
        workspace = await made.workspace()
        done = await exported(workspace, tmp_path / "out", "owner")

    assert ["answer"] == [r["kind"] for r in lines(tmp_path / "out" / "receipts.jsonl")]
    (words,) = lines(tmp_path / "out" / "content.jsonl")
    assert "I know her" in words["content"]
    assert ((), 0) == (done.packets, done.bundles)


async def test_what_was_erased_is_exported_as_erased(tmp_path: Path) -> None:
    """Its receipts are still there and still verify; each content says which receipt it went by."""
    async with squad() as made:
        packet = (await made.run("It.", subject="customer-17")).packet
        workspace = await made.workspace()
        (receipt,) = (await erase(workspace, "customer-17", person="owner")).receipts
        done = await exported(workspace, tmp_path / "out", "customer-17")

    assert (receipt, 0, 0) == (done.erased, done.contents, done.contents_lost)
    contents = lines(tmp_path / "out" / "content.jsonl")
    assert {("erased", receipt)} == {(c["state"], c["erased_by"]) for c in contents}
    assert done.contents_erased == len(contents) > 0
    assert "erasure" == lines(tmp_path / "out" / "receipts.jsonl")[-1]["kind"]
    trust = Trust.from_json((tmp_path / "out" / "trust.json").read_bytes())
    report = verify_bundle((tmp_path / "out" / "bundles" / f"{packet}.json").read_bytes(), trust)
    assert () == tuple(report.failed)


async def test_content_that_nobody_erased_is_exported_as_lost(tmp_path: Path) -> None:
    """And counted apart: something is wrong with this ledger."""
    async with squad() as made:
        await made.run("It.")
        workspace = await made.workspace()
        await workspace.blobs.erase(sha256(LETTER.encode()).hexdigest())
        done = await export(workspace, tmp_path / "out")

    assert (1, 0) == (done.contents_lost, done.contents_erased)
    assert 1 == sum(c["state"] == "lost" for c in lines(tmp_path / "out" / "content.jsonl"))


async def test_an_export_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """What fails half-way leaves nothing that could be taken for an export; what is there is not written over."""
    async with squad() as made:
        await made.run("It.")
        workspace = await made.workspace()

        async def full(packet: str) -> bytes:
            raise OSError(28, "No space left on device")

        with pytest.raises(StorageUnavailable, match="No space left"):
            await export(workspace, tmp_path / "out", bundle=full)
        assert [] == names(tmp_path)
        await export(workspace, tmp_path / "out")
        with pytest.raises(InvalidInput, match="is there already"):
            await export(workspace, tmp_path / "out")
        assert ["out"] == names(tmp_path)
