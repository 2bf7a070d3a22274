"""A builder that owns the repository, the database and every key but four cannot make a bundle that verifies.

It lacks the keys of root, log, runner and gate. Whatever it makes of the rows, it can only show what is true: every
bundle that verifies under the real `trust.json` says what the real ledger says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from attacker import Hand, Row, nodes_over, signed
from matrix import MALLORY, MATRIX
from scene import Scene, lived

from squads.bundling import bundle_in, bundle_of
from squads.contracts.errors import SquadsError
from squads.kernel.ports import WORKSPACE
from squads.ledger.bundle import Bundle, Included
from squads.ledger.checkpoint import parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.merkle import Edge
from squads.ledger.offline import BundleReport, verify_bundle
from squads.ledger.proof import consistency_proof, inclusion_proof
from squads.ledger.trust import Trust
from squads.workspace import Workspace

WITHHELD = ("root.key", "log.key", "runner.key", "gate-style.key")


@pytest.fixture
def robbed(sqlite_ledger: Scene) -> Hand:
    """Everything that the builder has: rows, notes, trust, and the keys that are not withheld."""
    for name in WITHHELD:
        (sqlite_ledger.own / name).rename(sqlite_ledger.store.parent / name)
    return Hand(
        rows=sqlite_ledger.surgeon.rows(),
        notes=sqlite_ledger.surgeon.notes(),
        trust=sqlite_ledger.trust,
        keys=sqlite_ledger.own,
    )


def bundled(rows: Sequence[Row], tree: Sequence[Row], trust: Trust, packet: str, note: str) -> bytes | None:
    """Write a bundle of a packet's rows as they are, with paths in the tree over others; None where there are none."""
    size = min(parse_checkpoint(note).size, len(rows), len(tree))
    leaves = [row.leaf_hash for row in tree]
    nodes = {(level, index): digest for level, index, digest in Edge().extend(leaves)}

    def node(level: int, index: int) -> bytes | None:
        return (leaves[index] if index < len(leaves) else None) if level == 0 else nodes.get((level, index))

    shown = [row for row in rows if row.stream in (WORKSPACE, packet) and row.seq < size]
    try:
        receipts = tuple(Included.of(row.leaf, tuple(inclusion_proof(row.seq, size, node))) for row in shown)
        named = {row.said["tree_head"]["size"] for row in shown if row.kind == "verdict" and row.said["tree_head"]}
        heads = {head: tuple(consistency_proof(head, size, node)) for head in sorted(named) if head <= size}
        return Bundle(origin=trust.origin, packet=packet, receipts=receipts, checkpoint=note, heads=heads).to_json()
    except (Malformed, IndexError):
        return None


def attempts(hand: Hand, genuine: Hand) -> Iterator[bytes]:
    """Every way to show the rows: under genuine checkpoints and one of its own making, with new paths and with old."""
    own = signed(hand.rows, hand.trust.origin, MALLORY, [])
    for packet in genuine.packets():
        for note in [*genuine.notes[-3:], *own]:
            for tree in (hand.rows, genuine.rows):
                made = bundled(hand.rows, tree, hand.trust, packet, note)
                if made is not None:
                    yield made


def truth(hand: Hand, packet: str) -> BundleReport:
    """What the sound ledger shows of a packet."""
    made = bundled(hand.rows, hand.rows, hand.trust, packet, hand.notes[-1])
    assert made is not None
    return verify_bundle(made, hand.trust)


def test_what_is_true_verifies(robbed: Hand) -> None:
    """The bundles are made as they should be: of the sound rows they verify, and say that both packets composed."""
    for packet in robbed.packets():
        report = truth(robbed, packet)

        assert () == report.failed
        assert (0, "composed") == (report.exit_code, report.outcome)


@pytest.mark.parametrize("name", MATRIX)
async def test_no_rewrite_makes_a_bundle_that_verifies(robbed: Hand, sqlite_ledger: Scene, name: str) -> None:
    """Each attack on the rows, shown in every way: what verifies is made of genuine receipts, and says what is true."""
    genuine = Hand(list(robbed.rows), list(robbed.notes), robbed.trust, robbed.keys)
    leaves = {row.leaf for row in genuine.rows}
    MATRIX[name].attack(robbed)
    shown = [*attempts(robbed, genuine), *await the_librarys_own(robbed, sqlite_ledger)]

    assert shown
    for made in shown:
        report = verify_bundle(made, robbed.trust)
        if report.exit_code == 0:
            assert {receipt.data for receipt in Bundle.from_json(made).receipts} <= leaves
            assert truth(genuine, report.packet).artifact == report.artifact
        else:
            assert report.failed or report.unchecked


async def the_librarys_own(hand: Hand, scene: Scene) -> list[bytes]:
    """What `squads bundle` writes of the rewritten database, where it writes anything."""
    scene.surgeon.put(hand.rows, hand.notes, nodes_over(hand.rows) if hand.recomputed else None)
    made = []
    for packet in hand.packets():
        try:
            bundle, _ = await bundle_in(scene.store, packet, keys=scene.keys)
        except SquadsError:
            continue
        made.append(bundle.to_json())
    return made


async def test_the_library_signs_nothing_in_its_name(robbed: Hand, sqlite_ledger: Scene) -> None:
    """Without the log's key the ledger does not open for writing, also not with keys that were made instead."""
    assert "opens" != await sqlite_ledger.start()


async def test_a_workspace_of_its_own_is_not_the_trusted_one(robbed: Hand, tmp_path: Path) -> None:
    """It may found a workspace and be every role in it: under the real trust nothing of that counts."""
    await lived(tmp_path / "own" / "store", tmp_path / "own" / "keys", 1)
    own = Workspace.open(tmp_path / "own" / "store", keys=tmp_path / "own" / "keys")
    try:
        packet = next(name for name in await own.ledger.streams() if name != WORKSPACE)
        made = await bundle_of(own.ledger, own.trust, packet)
    finally:
        await own.close()

    assert 0 == verify_bundle(made.to_json(), own.trust).exit_code
    for origin in (own.trust.origin, robbed.trust.origin):
        report = verify_bundle(replace(made, origin=origin).to_json(), robbed.trust)
        assert "checkpoint" in {found.check for found in report.failed}
        assert "unknown" == report.outcome
