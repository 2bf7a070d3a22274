"""Sequencing: how entries get their place in the log, said once for every store.

A store keeps rows; what a row holds is decided here. This file must never see a database or a key, and it
never changes the tail it was given: whoever fails to commit still holds the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from squads.ledger.errors import Malformed
from squads.ledger.leaf import U64_MAX, ZERO_HASH, frame_leaf
from squads.ledger.merkle import Edge, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Where the log ends: all that is needed to go on, whatever its length."""

    size: int = 0
    prev: bytes = ZERO_HASH
    """The newest leaf's hash."""
    time_ms: int = 0
    """The newest leaf's time."""
    edge: Edge = field(default_factory=Edge)
    """Never changed in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries in their places, ready to be stored together."""

    first_seq: int
    leaves: list[bytes]
    hashes: list[bytes]
    nodes: list[Node]
    """The full subtrees of level 1 and above that these leaves complete."""
    tail: Tail
    """Where the log ends after them."""


def sequence(tail: Tail, bodies: Sequence[bytes], time_ms: int) -> Batch:
    """Return the leaves for `bodies` after `tail`, with their hashes and the tree's new nodes.

    Args:
        tail: The log's end, as committed.
        bodies: From `leaf.encode_body`, in the order of the log.
        time_ms: The time of all of them; not before the tail's.

    Raises:
        Malformed: The time lies before the tail's, or outside 64 bits.
    """
    if not tail.time_ms <= time_ms <= U64_MAX:
        raise Malformed(f"time {time_ms} lies before the newest leaf's {tail.time_ms}; time never runs backwards")
    prev = tail.prev
    leaves, hashes = [], []
    for seq, body in enumerate(bodies, tail.size):
        leaf = frame_leaf(seq, prev, time_ms, body)
        prev = sha256(b"\0" + leaf).digest()
        leaves.append(leaf)
        hashes.append(prev)
    edge = tail.edge.copy()
    nodes = edge.extend(hashes)
    end = Tail(size=tail.size + len(leaves), prev=prev, time_ms=time_ms if leaves else tail.time_ms, edge=edge)
    return Batch(first_seq=tail.size, leaves=leaves, hashes=hashes, nodes=nodes, tail=end)


def first_difference(hashes: Iterable[bytes], stored: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the first position where what the store gives back is not what was framed, or None.

    This is verify-before-sign: a checkpoint binds for ever, and a log has died of one flipped bit that was
    signed.

    Args:
        hashes: The leaf hashes that the tree was built from.
        stored: (leaf, leaf hash) as the medium reads them, in the same order.

    Source: the end of the Certificate Transparency log Yeti 2022.
    """
    rows = list(stored)
    expected = list(hashes)
    if [row[1] for row in rows] == expected and [sha256(b"\0" + row[0]).digest() for row in rows] == expected:
        return None
    for position, (digest, row) in enumerate(zip(expected, rows, strict=False)):
        if row[1] != digest or sha256(b"\0" + row[0]).digest() != digest:
            return position
    return min(len(expected), len(rows))
