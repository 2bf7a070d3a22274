"""What no database can show alone: a tail that was cut, an old copy that was put back, a history that was written anew.

How far back that reaches is the window: to the newest checkpoint that somebody else holds, in an anchor or in a bundle.
"""

from __future__ import annotations

from attacker import Hand
from matrix import truncate
from scene import Scene, lived, said

from squads.bundling import bundle_of
from squads.ledger.checkpoint import parse_checkpoint
from squads.ledger.offline import verify_bundle
from squads.workspace import Workspace


def sizes(notes: list[str]) -> list[int]:
    return [parse_checkpoint(note).size for note in notes]


async def handed_out(scene: Scene) -> str:
    """Bundle the newest packet, as it is given to whoever asks, and return the checkpoint that they then hold."""
    made = Workspace.open(scene.location, keys=scene.keys)
    try:
        packet = scene.surgeon.rows()[-1].stream
        bundle = await bundle_of(made.ledger, scene.trust, packet)
    finally:
        await made.close()
    assert 0 == verify_bundle(bundle.to_json(), scene.trust).exit_code
    return bundle.checkpoint


async def test_a_tail_cut_behind_the_newest_anchor_shows_only_to_who_holds_a_later_checkpoint(scene: Scene) -> None:
    """The window: between two anchors a cut shows in no database and at no anchor; a held bundle shows it."""
    whole = scene.surgeon.notes()
    anchored = [note for note in whole if parse_checkpoint(note).size <= 22]
    held = [await handed_out(scene)]
    assert 22 == sizes(anchored)[-1]
    scene.attack(truncate, log_key=True)

    assert () == scene.caught_by()
    assert {} == said(scene.against(anchored))
    assert {"rollback"} == set(said(scene.against(held)))


def test_the_next_anchor_ends_the_window(scene: Scene) -> None:
    """Every interval the newest checkpoint goes out; what it covers cannot be cut any more, whoever has which key."""
    anchored = scene.surgeon.notes()[-1:]
    scene.attack(truncate, log_key=True)

    assert () == scene.caught_by()
    assert {"rollback"} == set(said(scene.against(anchored)))


def test_who_cannot_reach_the_built_in_checkpoint_file_cuts_nothing(scene: Scene) -> None:
    """The file beside the keys gets every checkpoint: for the database alone there is no window."""
    scene.attack(truncate)

    assert ("rollback",) == scene.caught_by()


async def test_an_old_backup_of_the_database_is_refused(scene: Scene) -> None:
    """The likeliest way to fork oneself: yesterday's copy, and a checkpoint file that knows of today."""
    old = scene.copy_database()
    await lived(scene.location, scene.keys, 1)
    scene.restore_database(old)

    assert ("rollback",) == scene.caught_by()
    assert "RollbackDetected" == await scene.start()


async def test_an_old_backup_of_database_and_checkpoint_file_shows_only_at_an_anchor(scene: Scene) -> None:
    """Who restores both sees a whole ledger; the anchor knows better, before and after it is written to."""
    old, beside = scene.copy_database(), scene.outside
    await lived(scene.location, scene.keys, 1)
    anchored = scene.surgeon.notes()
    scene.restore_database(old)
    scene.write_outside(beside)

    assert () == scene.caught_by()
    assert {"rollback"} == set(said(scene.against(anchored)))

    await lived(scene.location, scene.keys, 2)

    assert () == scene.caught_by()
    assert {"fork"} == set(said(scene.against(anchored)))


async def test_two_histories_of_one_log_are_two_signed_notes_of_one_size(scene: Scene) -> None:
    """The proof of a fork needs no database: both notes are genuine, and name other roots for the same receipts."""
    one = scene.surgeon.notes()

    def rewrite(hand: Hand) -> None:
        packet = hand.packets()[0]
        hand.rows = [row for row in hand.rows if row.stream != packet]
        hand.reframe()

    scene.attack(rewrite, log_key=True)
    other = scene.surgeon.notes()
    found = said(scene.against(one))
    pairs = [(a, b) for a in map(parse_checkpoint, one) for b in map(parse_checkpoint, other) if a.size == b.size]

    assert "together they are the proof" in found["fork"]
    assert any(a.root != b.root for a, b in pairs)
    assert {a.origin for a, _ in pairs} == {b.origin for _, b in pairs}
