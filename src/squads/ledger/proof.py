"""Proofs about the Merkle tree: this leaf is in it, and this tree grew out of that one.

A proof is a short list of hashes and nothing else: what it proves, index, sizes and roots, comes from elsewhere, and
roots only from checkpoints that were verified. It must never be judged by what stands beside it in the same file.

How long a proof is follows from index and size alone, so that one of another length is refused before anything is
hashed. The lower part of the way up, where the last leaf of the tree takes another way, is called inner here, the
upper part border; the hashes of the border are all left siblings.

Source: RFC 6962 section 2.1.1 and 2.1.2, as RFC 9162 section 2.1.3 and 2.1.4; the division into inner and border is
that of transparency-dev/merkle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from squads.ledger.errors import Malformed
from squads.ledger.merkle import EMPTY_ROOT, node_hash

NodeReader = Callable[[int, int], bytes | None]
"""Gives the hash of the full subtree at (level, index), None for one that is not stored; level 0 are leaf hashes."""
Place = tuple[int, int]
"""(level, index) of a full subtree."""
TREE_SIZE_MAX: Final = 2**63 - 1
PROOF_HASHES_MAX: Final = 126
"""More than any proof has in a tree of 2^63 - 1 leaves: twice its height."""


# Making ----------------------------------------------------------------------------------------------------


def inclusion_places(index: int, size: int) -> list[Place]:
    """Return which stored nodes `inclusion_proof` will ask for, so that a store can read many proofs' at once.

    Raises `Malformed` unless 0 <= index < size.
    """
    inner = _inner_of(index, size)
    places = [(level, index >> level ^ 1) for level in range(inner - 1)]
    if inner:
        places += _places_over((index >> inner - 1 ^ 1) << inner - 1, size)
    level, rest = inner, index >> inner
    while rest:
        if rest & 1:
            places.append((level, rest - 1))
        level, rest = level + 1, rest >> 1
    return places


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Return the hashes that lead from the leaf at `index` to the root over the first `size` leaves, lowest first.

    Raises `Malformed` unless 0 <= index < size, or where a stored node is missing.
    """
    inner = _inner_of(index, size)
    # Of the inner part, only the highest sibling can hold the last leaf, and so be less than a full subtree.
    path = [_node_at(level, index >> level ^ 1, node) for level in range(inner - 1)]
    if inner:
        path.append(_root_over((index >> inner - 1 ^ 1) << inner - 1, size, node))
    level, rest = inner, index >> inner
    while rest:
        if rest & 1:
            path.append(_node_at(level, rest - 1, node))
        level, rest = level + 1, rest >> 1
    return path


def consistency_places(old: int, new: int) -> list[Place]:
    """Return which stored nodes `consistency_proof` will ask for. Raises `Malformed` unless 0 < old <= new."""
    places: list[Place] = []

    def note(level: int, index: int) -> bytes:
        places.append((level, index))
        return EMPTY_ROOT

    consistency_proof(old, new, note)
    return places


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Return the hashes that show that the tree over `old` leaves is the beginning of the one over `new`.

    Raises `Malformed` unless 0 < old <= new, or where a stored node is missing.
    """
    _check_sizes(old, new)
    path: list[bytes] = []
    low, high, known = 0, new, True
    while old != high:
        split = low + _split(high - low)
        if old <= split:
            path.append(_root_over(split, high, node))
            high = split
        else:
            path.append(_root_over(low, split, node))
            low, known = split, False
    if not known:
        path.append(_root_over(low, high, node))
    path.reverse()
    return path


def root_at(size: int, node: NodeReader) -> bytes:
    """Return the root over the first `size` leaves from stored nodes. Raises `Malformed` where one is missing."""
    return _root_over(0, size, node) if size else EMPTY_ROOT


# Checking --------------------------------------------------------------------------------------------------


def check_inclusion(leaf_hash: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Raise `Malformed` unless `path` leads from the leaf at `index` to `root` over `size` leaves."""
    inner = _inner_of(index, size)
    expected = inner + (index >> inner).bit_count()
    if len(path) != expected:
        raise Malformed(f"the inclusion proof of leaf {index} of {size} has {expected} hashes, this one {len(path)}")
    _check_hashes((leaf_hash, root, *path))
    # Written out, not through `node_hash`: these twenty hashes are all that checking a receipt costs.
    digest, found, way = sha256, leaf_hash, index
    for step in path[:inner]:
        found = digest(b"\1" + step + found if way & 1 else b"\1" + found + step).digest()
        way >>= 1
    for step in path[inner:]:
        found = digest(b"\1" + step + found).digest()
    if not compare_digest(found, root):
        raise Malformed(f"the inclusion proof of leaf {index} does not lead to the root over {size} leaves")


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raise `Malformed` unless `path` shows that the tree of size `old` is the beginning of the one of size `new`."""
    _check_sizes(old, new)
    _check_hashes((old_root, new_root, *path))
    if old == new:
        if path or not compare_digest(old_root, new_root):
            raise Malformed(f"two roots over {old} leaves differ, or a proof says more than that they are equal")
        return
    # The way begins at the highest full subtree that ends where the older tree ends. If that is the whole older tree,
    # its root is known, and the proof does not repeat it.
    shift = (old & -old).bit_length() - 1
    whole = old == 1 << shift
    inner = _inner_of(old - 1, new) - shift
    way = old - 1 >> shift
    expected = inner + (way >> inner).bit_count() + (not whole)
    if len(path) != expected:
        raise Malformed(f"the consistency proof from {old} to {new} has {expected} hashes, this one {len(path)}")
    before = after = old_root if whole else path[0]
    steps = path if whole else path[1:]
    for step in steps[:inner]:
        if way & 1:
            before, after = node_hash(step, before), node_hash(step, after)
        else:
            after = node_hash(after, step)
        way >>= 1
    for step in steps[inner:]:
        before, after = node_hash(step, before), node_hash(step, after)
    if not (compare_digest(before, old_root) and compare_digest(after, new_root)):
        raise Malformed(f"the tree of {new} leaves does not begin with the one of {old}")


# ------------------------------------------------------------------------------------------------------------


def _inner_of(index: int, size: int) -> int:
    """Return how many levels up the leaf's way meets that of the tree's last leaf. Raises `Malformed`."""
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise Malformed(f"no leaf {index} is in a tree of {size}")
    return (index ^ size - 1).bit_length()


def _node_at(level: int, index: int, node: NodeReader) -> bytes:
    found = node(level, index)
    if found is None or len(found) != 32:
        raise Malformed(f"the tree's node at level {level}, index {index} is missing")
    return found


def _root_over(low: int, high: int, node: NodeReader) -> bytes:
    """Return the root over the leaves from `low` to `high`, where `low` begins a subtree at least that wide."""
    found: bytes | None = None
    for level, index in reversed(_places_over(low, high)):
        peak = _node_at(level, index, node)
        found = peak if found is None else node_hash(peak, found)
    return found or EMPTY_ROOT


def _places_over(low: int, high: int) -> list[Place]:
    """Return the full subtrees that cover the leaves from `low` to `high`, largest first."""
    places: list[Place] = []
    while low < high:
        level = (high - low).bit_length() - 1
        places.append((level, low >> level))
        low += 1 << level
    return places


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _check_sizes(old: int, new: int) -> None:
    if not 0 < old <= new <= TREE_SIZE_MAX:
        raise Malformed(f"there is no consistency proof from size {old} to size {new}; 0 < old <= new")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if not {32}.issuperset(map(len, hashes)):
        raise Malformed("the hashes of a proof, of leaves and of roots have 32 bytes each")
