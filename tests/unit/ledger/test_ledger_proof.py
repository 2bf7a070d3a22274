"""Proofs: every small tree against the textbook's recursive definitions, and nothing but the one right proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.ledger.errors import Malformed
from squads.ledger.leaf import leaf_hash
from squads.ledger.merkle import EMPTY_ROOT, Edge
from squads.ledger.proof import (
    PROOF_HASHES_MAX,
    TREE_SIZE_MAX,
    check_consistency,
    check_inclusion,
    consistency_places,
    consistency_proof,
    inclusion_places,
    inclusion_proof,
    root_at,
)

SIZES_TO = 66
"""Past the first tree of seven levels."""
HASHES = [leaf_hash(number.to_bytes(4, "big")) for number in range(600)]
STORED = {(0, index): digest for index, digest in enumerate(HASHES)} | {
    (level, index): digest for level, index, digest in Edge().extend(HASHES)
}


def node(level: int, index: int) -> bytes | None:
    return STORED.get((level, index))


# RFC 6962, word by word --------------------------------------------------------------------------------------


def split(count: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


@cache
def tree_hash(low: int, high: int) -> bytes:
    """MTH(D[low:high]), section 2.1."""
    if high == low:
        return sha256(b"").digest()
    if high - low == 1:
        return HASHES[low]
    k = split(high - low)
    return sha256(b"\1" + tree_hash(low, low + k) + tree_hash(low + k, high)).digest()


def audit_path(m: int, low: int, high: int) -> list[bytes]:
    """PATH(m, D[low:high]), section 2.1.1."""
    if high - low == 1:
        return []
    k = split(high - low)
    if m < k:
        return [*audit_path(m, low, low + k), tree_hash(low + k, high)]
    return [*audit_path(m - k, low + k, high), tree_hash(low, low + k)]


def subproof(m: int, low: int, high: int, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[low:high], b), section 2.1.2."""
    if m == high - low:
        return [] if whole else [tree_hash(low, high)]
    k = split(high - low)
    if m <= k:
        return [*subproof(m, low, low + k, whole), tree_hash(low + k, high)]
    return [*subproof(m - k, low + k, high, False), tree_hash(low, low + k)]


def test_every_inclusion_proof_of_every_small_tree_is_that_of_the_definition():
    """All leaves of all sizes to 66, made from stored nodes, and each leads to the root."""
    for size in range(1, SIZES_TO):
        for index in range(size):
            path = inclusion_proof(index, size, node)

            assert audit_path(index, 0, size) == path
            check_inclusion(HASHES[index], index, size, tree_hash(0, size), path)


def test_every_consistency_proof_of_every_small_tree_is_that_of_the_definition():
    """All pairs of sizes to 66, equal ones too."""
    for new in range(1, SIZES_TO):
        for old in range(1, new + 1):
            path = consistency_proof(old, new, node)

            assert subproof(old, 0, new, True) == path
            check_consistency(old, tree_hash(0, old), new, tree_hash(0, new), path)


def test_the_places_are_exactly_the_nodes_that_are_asked_for():
    """A store that reads them beforehand has all that a proof needs, and nothing that it does not."""
    for new in range(1, SIZES_TO):
        for old in range(1, new + 1):
            asked: list[tuple[int, int]] = []

            def noting(asked: list[tuple[int, int]], level: int, index: int) -> bytes | None:
                asked.append((level, index))
                return node(level, index)

            inclusion_proof(old - 1, new, partial(noting, asked))
            assert sorted(asked) == sorted(inclusion_places(old - 1, new))
            asked.clear()
            consistency_proof(old, new, partial(noting, asked))
            assert sorted(asked) == sorted(consistency_places(old, new))


def test_the_root_at_any_size_comes_from_stored_nodes():
    """The tree of an older checkpoint needs no leaf to be read again."""
    assert root_at(0, node) == EMPTY_ROOT
    for size in range(1, 600, 7):
        assert tree_hash(0, size) == root_at(size, node)


@given(st.integers(1, 600), st.integers(0, 599), st.integers(0, 599))
def test_proofs_of_larger_trees_agree_with_the_definition(size, first, second):
    """Beyond the exhaustive sizes, chosen at random."""
    index, old = first % size, second % size + 1

    assert audit_path(index, 0, size) == inclusion_proof(index, size, node)
    assert subproof(old, 0, size, True) == consistency_proof(old, size, node)


# What is no proof --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """What an inclusion check is given."""

    leaf: bytes
    index: int
    size: int
    root: bytes
    path: tuple[bytes, ...]

    def check(self) -> None:
        check_inclusion(self.leaf, self.index, self.size, self.root, self.path)


@dataclass(frozen=True)
class Growth:
    """What a consistency check is given."""

    old: int
    old_root: bytes
    new: int
    new_root: bytes
    path: tuple[bytes, ...]

    def check(self) -> None:
        check_consistency(self.old, self.old_root, self.new, self.new_root, self.path)


def flipped(digest: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(digest))


def other_paths(path: tuple[bytes, ...], *roots: bytes) -> Iterator[tuple[bytes, ...]]:
    """The path with a bit flipped, truncated, with garbage before or after, repeated, swapped, and badly cut."""
    for at, step in enumerate(path):
        for bit in (0, 4, 255):
            yield (*path[:at], flipped(step, bit), *path[at + 1 :])
        yield (*path[:at], *path[at + 1 :])
        yield (*path[:at], step, *path[at:])
        yield (*path[:at], b"", *path[at:])
        yield (*path[:at], step[:-1], *path[at + 1 :])
        yield (*path[:at], step + b"\0", *path[at + 1 :])
    for extra in (b"", bytes(32), b"garbage", *roots):
        yield (extra, *path)
        yield (*path, extra)
    if len(path) > 1 and path[0] != path[1]:
        yield (path[1], path[0], *path[2:])
    yield (*path, *[bytes(32)] * PROOF_HASHES_MAX)


def inclusions() -> Iterator[Claim]:
    for size in (1, 2, 3, 4, 5, 7, 8, 11, 16, 33):
        for index in range(size):
            yield Claim(HASHES[index], index, size, tree_hash(0, size), tuple(inclusion_proof(index, size, node)))


def growths() -> Iterator[Growth]:
    for new in (1, 2, 3, 4, 6, 7, 8, 11, 16, 33):
        for old in range(1, new + 1):
            path = tuple(consistency_proof(old, new, node))
            yield Growth(old, tree_hash(0, old), new, tree_hash(0, new), path)


def refuses(claim: Claim | Growth) -> bool:
    try:
        claim.check()
    except Malformed:
        return True
    return False


def test_a_changed_inclusion_proof_proves_nothing():
    """Path, leaf, root: any other bytes are refused."""
    for claim in inclusions():
        claim.check()
        changed = [replace(claim, path=path) for path in other_paths(claim.path, claim.root, claim.leaf)]
        changed += [replace(claim, leaf=flipped(claim.leaf, 9)), replace(claim, root=flipped(claim.root, 9))]
        changed += [replace(claim, leaf=claim.leaf[:-1]), replace(claim, root=b""), replace(claim, leaf=b"")]

        assert [one for one in changed if not refuses(one)] == []


def test_an_inclusion_proof_is_of_one_index_in_one_tree():
    """Under the same root it holds nowhere else, and not at all outside the tree.

    Two sizes can share leaf, path and root only where the way is the same; the size comes from the checkpoint, which
    signs it together with the root.
    """
    for claim in inclusions():
        elsewhere = [index for index in range(-1, claim.size + 2) if index != claim.index]

        assert [index for index in elsewhere if not refuses(replace(claim, index=index))] == []
        for size in (-1, 0, claim.index, 2 * claim.size + 1, TREE_SIZE_MAX, TREE_SIZE_MAX + 1, 10**400):
            assert refuses(replace(claim, size=size))


@pytest.mark.parametrize("size", [4, 8, 16, 64])
def test_a_longer_path_does_not_reach_the_root_of_a_larger_tree(size):
    """The way of the last leaf goes left all along, as in any smaller tree: only its length differs."""
    path = tuple(inclusion_proof(size - 1, size, node))

    for smaller in (1, 2, size // 2):
        assert refuses(Claim(HASHES[size - 1], smaller - 1, smaller, tree_hash(0, size), path))


def test_a_changed_consistency_proof_proves_nothing():
    """Path and either root: any other bytes are refused, and roots in each other's place."""
    for growth in growths():
        growth.check()
        changed = [replace(growth, path=path) for path in other_paths(growth.path, growth.old_root, growth.new_root)]
        changed += [replace(growth, old_root=flipped(growth.old_root, 9))]
        changed += [replace(growth, new_root=flipped(growth.new_root, 9)), replace(growth, new_root=b"")]
        if growth.old != growth.new:
            changed.append(replace(growth, old_root=growth.new_root, new_root=growth.old_root))

        assert [one for one in changed if not refuses(one)] == []


def test_a_consistency_proof_is_of_one_older_size():
    """With the same roots, it does not speak of another beginning, nor of none."""
    for growth in growths():
        others = [old for old in range(-1, growth.new + 2) if old != growth.old]

        assert [old for old in others if not refuses(replace(growth, old=old))] == []
        for new in (-1, 0, growth.old - 1, 2 * growth.new + 1, TREE_SIZE_MAX + 1):
            assert refuses(replace(growth, new=new))


@pytest.mark.parametrize("path", [(), (EMPTY_ROOT,)], ids=["empty", "one hash"])
@pytest.mark.parametrize("new", [0, 1, 8])
def test_the_empty_tree_proves_nothing(new, path):
    """From 0 anything could be said to have grown, so neither 0 to 0 nor 0 to n is a proof."""
    root = tree_hash(0, new)

    assert refuses(Growth(0, EMPTY_ROOT, new, root, path))
    assert refuses(Claim(EMPTY_ROOT, 0, 0, EMPTY_ROOT, path))


def test_equal_sizes_take_an_empty_proof_and_equal_roots():
    """A path says nothing there, and two roots of one size are a fork."""
    Growth(5, tree_hash(0, 5), 5, tree_hash(0, 5), ()).check()

    assert refuses(Growth(5, tree_hash(0, 5), 5, tree_hash(0, 5), (tree_hash(0, 4),)))
    assert refuses(Growth(5, tree_hash(0, 5), 5, tree_hash(0, 6), ()))


def test_an_inner_node_does_not_pass_for_a_leaf():
    """Two levels of a tree hash differently, so a node cannot be shown as a leaf of a smaller tree's data."""
    inner = STORED[1, 0]

    assert refuses(Claim(leaf_hash(HASHES[0] + HASHES[1]), 0, 2, tree_hash(0, 4), (STORED[1, 1],)))
    # Its hash in a leaf's place verifies by construction: callers hash the leaf themselves and never take its hash.
    Claim(inner, 0, 2, tree_hash(0, 4), (STORED[1, 1],)).check()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5), (0, TREE_SIZE_MAX + 1), (0, 2**4000)])
def test_no_proof_is_made_of_a_leaf_outside(index, size):
    """The maker refuses what the checker would."""
    with pytest.raises(Malformed, match="no leaf"):
        inclusion_proof(index, size, node)
    with pytest.raises(Malformed, match="no leaf"):
        inclusion_places(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5), (1, TREE_SIZE_MAX + 1)])
def test_no_proof_is_made_between_sizes_that_did_not_grow(old, new):
    """0 < old <= new, for the maker too."""
    with pytest.raises(Malformed, match="0 < old <= new"):
        consistency_proof(old, new, node)
    with pytest.raises(Malformed, match="0 < old <= new"):
        consistency_places(old, new)


def test_a_missing_or_short_node_is_named():
    """A store that lost a node says which, instead of proving something else."""
    with pytest.raises(Malformed, match="level 2, index 1 is missing"):
        inclusion_proof(0, 8, lambda level, index: None if (level, index) == (2, 1) else node(level, index))
    with pytest.raises(Malformed, match="level 0, index 1 is missing"):
        inclusion_proof(0, 8, lambda level, index: b"short" if level == 0 else node(level, index))
    with pytest.raises(Malformed, match="is missing"):
        root_at(7, lambda level, index: None)


def test_the_largest_tree_has_the_longest_proof_and_no_longer_one():
    """At 2^63 - 1 leaves the checker still ends at once, and its bound on hashes still holds."""
    places = inclusion_places(TREE_SIZE_MAX - 1, TREE_SIZE_MAX)

    assert 62 == len(inclusion_proof(TREE_SIZE_MAX - 1, TREE_SIZE_MAX, lambda level, index: bytes(32))) == len(places)
    assert len(consistency_places(TREE_SIZE_MAX - 2, TREE_SIZE_MAX)) <= PROOF_HASHES_MAX
