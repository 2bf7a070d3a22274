"""Edits beside the log: accounts, leases, content and the stored tree, in every database."""

from __future__ import annotations

import pytest
from scene import Scene, lived

from squads.kernel.ports import WORKSPACE
from squads.ledger.checkpoint import verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import leaf_hash
from squads.ledger.proof import check_inclusion
from squads.workspace import Workspace


def test_an_account_that_was_edited_is_told_by_the_receipts(scene: Scene) -> None:
    """What packets have spent together is derived again."""
    scene.surgeon.run("UPDATE account SET tokens = tokens + 5")

    assert ("budget",) == scene.caught_by()


async def test_a_lease_that_was_edited_decides_nothing(scene: Scene) -> None:
    """Leases say who is at work; whoever edits them delays that, and no receipt follows from it."""
    packet = scene.surgeon.rows()[-1].stream
    scene.surgeon.run(f"INSERT INTO lease (packet, holder, token) VALUES ('{packet}', 'nobody', 900)")

    assert () == scene.caught_by()
    await lived(scene.location, scene.keys, 1)
    assert () == scene.caught_by()


async def test_a_node_that_was_edited_proves_nothing(scene: Scene) -> None:
    """The tree's inner nodes are a convenience: roots are computed from receipts, and a wrong path leads to no root."""
    scene.surgeon.run("UPDATE node SET hash = (SELECT hash FROM node WHERE level = 1 AND idx = 1) WHERE level = 1")
    made = Workspace.open(scene.location, keys=scene.keys)
    try:
        proved = await made.ledger.prove([2])
        (_, _, stored, *_) = await made.ledger.read(WORKSPACE)
    finally:
        await made.close()
    checkpoint = verify_checkpoint(proved.head.checkpoint, scene.trust.log_key)

    assert ("nodes",) == scene.caught_by()
    with pytest.raises(Malformed):
        check_inclusion(stored.leaf_hash, 2, checkpoint.size, checkpoint.root, proved.paths[0])
    assert leaf_hash(scene.surgeon.rows()[2].leaf) == stored.leaf_hash
