"""Sequencing: gapless places, links, time, and nothing changed before it is committed."""

from __future__ import annotations

import pytest

from squads.ledger.errors import Malformed
from squads.ledger.leaf import ZERO_HASH, decode_leaf, encode_body, leaf_hash
from squads.ledger.sequence import Tail, first_difference, sequence

BODIES = [encode_body("t", bytes([n]), ((b"k" * 32, b"s"),)) for n in range(5)]


def test_entries_get_gapless_linked_places():
    """Each leaf names its number and the one before it."""
    batch = sequence(Tail(), BODIES, 7)
    leaves = [decode_leaf(leaf) for leaf in batch.leaves]

    assert [leaf.seq for leaf in leaves] == [0, 1, 2, 3, 4]
    assert [ZERO_HASH, *batch.hashes[:-1]] == [leaf.prev for leaf in leaves]
    assert batch.hashes == [leaf_hash(leaf) for leaf in batch.leaves]
    assert {7} == {leaf.time_ms for leaf in leaves}
    assert (5, batch.hashes[-1], 7) == (batch.tail.size, batch.tail.prev, batch.tail.time_ms)


def test_two_batches_are_one():
    """Where a commit ends does not show in the log."""
    whole = sequence(Tail(), BODIES, 7)
    first = sequence(Tail(), BODIES[:2], 7)
    second = sequence(first.tail, BODIES[2:], 7)

    assert whole.leaves == first.leaves + second.leaves
    assert whole.nodes == first.nodes + second.nodes
    assert whole.tail.edge.root() == second.tail.edge.root()


def test_the_given_tail_is_not_changed():
    """Whoever fails to commit goes on from what is committed."""
    tail = sequence(Tail(), BODIES, 7).tail
    before = (tail.size, tail.prev, tail.edge.size, tail.edge.root())
    sequence(tail, BODIES, 8)

    assert before == (tail.size, tail.prev, tail.edge.size, tail.edge.root())


def test_time_never_runs_backwards():
    """The same time may come again, an earlier one not."""
    tail = sequence(Tail(), BODIES, 7).tail

    assert sequence(tail, BODIES, 7).tail.size == 10
    with pytest.raises(Malformed, match="backwards"):
        sequence(tail, BODIES, 6)
    with pytest.raises(Malformed):
        sequence(tail, BODIES, 2**64)


def test_what_the_store_gives_back_is_compared_bit_by_bit():
    """A flipped bit in a leaf or in its hash, a missing or an extra row: the first one is named."""
    batch = sequence(Tail(), BODIES, 7)
    rows = list(zip(batch.leaves, batch.hashes, strict=True))
    leaf, digest = rows[3]

    assert first_difference(batch.hashes, rows) is None
    assert first_difference(batch.hashes, [*rows[:3], (leaf + b"x", digest), rows[4]]) == 3
    assert first_difference(batch.hashes, [*rows[:3], (leaf, bytes(32)), rows[4]]) == 3
    assert first_difference(batch.hashes, rows[:4]) == 4
    assert first_difference(batch.hashes, [*rows, rows[0]]) == 5
