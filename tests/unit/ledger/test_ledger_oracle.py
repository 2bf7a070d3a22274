"""The same proofs and notes, made and checked by an implementation that shares no line with this one: tlog-scales.

It makes proofs by the recursive definition from tiles of 256 hashes, and checks them by the algorithms of RFC 9162
word by word; here they are made from full subtrees, and checked by the length that index and size demand.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint as TheirCheckpoint
from tlog_scales.tlog import ConsistencyProof, InclusionProof, InclusionProofInvalid

from squads.adapters.keys import InProcessSigner
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.note import encode_vkey, parse_vkey
from squads.ledger.proof import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_at

ORIGIN = "example.com/squads/oracle/0"
SECRET = b"\7" * 32
SIGNER = InProcessSigner(SECRET)
LEAVES = 70_000
"""More than 256 * 256, so that the tiles have three levels."""
HASHES = [leaf_hash(number.to_bytes(4, "big")) for number in range(LEAVES)]
STORED = {(0, index): digest for index, digest in enumerate(HASHES)} | {
    (level, index): digest for level, index, digest in Edge().extend(HASHES)
}


def node(level: int, index: int) -> bytes | None:
    return STORED.get((level, index))


class Tiles:
    """The tree as tlog-tiles keeps it, served from our stored nodes."""

    def get(self, *path: str) -> bytes | None:
        if path[-2].endswith(".p"):  # a tile that is not full yet is named with its width
            path = (*path[:-2], path[-2].removesuffix(".p"))
        level = 8 * int(path[1])
        number = int("".join(part.removeprefix("x") for part in path[2:]))
        found = (node(level, index) for index in range(256 * number, 256 * number + 256))
        return b"".join(digest for digest in found if digest is not None)


def theirs(size: int) -> TilesReader:
    reader = TilesReader(Tiles())
    reader.set_size(size)
    return reader


sizes = st.integers(1, LEAVES) | st.sampled_from([1, 2, 255, 256, 257, 65_535, 65_536, 65_537, LEAVES])


@given(sizes, st.integers(0, LEAVES - 1))
def test_an_independent_implementation_makes_the_same_inclusion_proofs(size, number):
    """Byte by byte, and each side accepts the other's."""
    index = number % size
    root, path = root_at(size, node), inclusion_proof(index, size, node)
    made = theirs(size).get_inclusion_proof(index, size)

    assert theirs(size).calculate_root_hash() == root
    assert made.node_hashes == path
    InclusionProof(index, size, path).check(HASHES[index], root)
    check_inclusion(HASHES[index], index, size, root, made.node_hashes)


@given(sizes, st.integers(1, LEAVES))
def test_an_independent_implementation_makes_the_same_consistency_proofs(new, number):
    """Byte by byte, and each side accepts the other's."""
    old = number % new + 1
    before, after, path = root_at(old, node), root_at(new, node), consistency_proof(old, new, node)
    made = theirs(new).get_consistency_proof(old, new)

    assert made.node_hashes == path
    ConsistencyProof(old, new, path).check(before, after)
    check_consistency(old, before, new, after, made.node_hashes)


@given(st.integers(1, 2_000), st.integers(0, 1_999), st.integers(0, 12), st.integers(0, 255), st.integers(0, 2_100))
def test_both_refuse_the_same_damaged_proofs(size, number, at, bit, elsewhere):
    """A flipped bit, a missing or repeated hash, another index: the outcome is the same on both sides."""
    index = number % size
    root, path = root_at(size, node), inclusion_proof(index, size, node)
    step = path[at % len(path)] if path else bytes(32)
    flip = bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(step))
    damaged = [(index, [*path, step]), (index, path[1:]), (elsewhere, path), (index, [flip, *path[1:]])]

    for where, steps in damaged:
        assert _theirs_holds(where, size, steps, HASHES[index], root) is _ours_holds(
            where, size, steps, HASHES[index], root
        )


def _ours_holds(index: int, size: int, steps: list[bytes], leaf: bytes, root: bytes) -> bool:
    try:
        check_inclusion(leaf, index, size, root, steps)
    except Malformed:
        return False
    return True


def _theirs_holds(index: int, size: int, steps: list[bytes], leaf: bytes, root: bytes) -> bool:
    try:
        InclusionProof(index, size, steps).check(leaf, root)
    except InclusionProofInvalid:
        return False
    return True


@pytest.mark.parametrize("size", [1, 7, 257, LEAVES])
def test_checkpoints_go_both_ways(size):
    """The same key signs the same note on both sides, byte by byte, and each verifies the other's."""
    root = root_at(size, node)
    ours = sign_checkpoint(Checkpoint(ORIGIN, size, root), SIGNER)
    made = TheirCheckpoint.make_signed(ORIGIN, size, root, [PlainEd25519Signer(ORIGIN, SECRET)]).serialize()
    vkey = encode_vkey(ORIGIN, SIGNER.public_key)

    assert made == ours
    assert Vkey.from_string(vkey).serialize() == vkey == PlainEd25519Signer(ORIGIN, SECRET).vkey.serialize()
    TheirCheckpoint.from_text(ours).verify(Vkey.from_string(vkey))
    assert verify_checkpoint(made, parse_vkey(vkey)) == Checkpoint(ORIGIN, size, root)
