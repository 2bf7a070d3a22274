"""The Merkle tree of RFC 6962, as the few hashes at its right edge.

Only full subtrees are kept; whoever stores the nodes that `extend` returns can later make every inclusion and
consistency proof without reading a leaf. This file must never touch a leaf's content.

Source: RFC 6962 section 2.1; the same tree as RFC 9162, Go's sumdb and C2SP tlog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from squads.ledger.errors import Malformed

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of the tree without leaves."""

Node = tuple[int, int, bytes]
"""(level, index, hash) of a full subtree: it covers the leaves from index * 2^level, 2^level of them."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of a one byte and both children."""
    return sha256(b"\1" + left + right).digest()


class Edge:
    """A tree's size and its full subtrees, largest first: all that is needed to append and to know the root.

    It is mutable because verification appends a million times; whoever may fail half-way works on a `copy`.
    """

    __slots__ = ("_peaks", "size")

    size: int
    """How many leaves it covers."""

    def __init__(self) -> None:
        """Make the edge of the empty tree."""
        self.size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def rebuild(cls, size: int, node: Callable[[int, int], bytes | None]) -> Edge:
        """Return the edge at `size` from stored nodes.

        Level 0 are the leaf hashes. Raises `Malformed` if one lacks.
        """
        edge = cls()
        start = 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                found = node(level, start >> level)
                if found is None or len(found) != 32:
                    raise Malformed(f"the tree's node at level {level}, index {start >> level} is missing")
                edge._peaks.append(found)
                start += 1 << level
        edge.size = size
        return edge

    def copy(self) -> Edge:
        """Return an edge that can go its own way."""
        twin = Edge()
        twin.size = self.size
        twin._peaks = self._peaks.copy()
        return twin

    def append(self, leaf_hash: bytes) -> list[Node]:
        """Add one leaf and return the subtrees above it that became full, lowest first."""
        return self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[Node]:
        """Add leaves in order and return the nodes of level 1 and above that became full.

        The leaves themselves are level 0 and are not repeated here.
        """
        size, peaks, digest = self.size, self._peaks, sha256
        full: list[Node] = []
        for current in leaf_hashes:
            level = 0
            index = size
            while index & 1:
                current = digest(b"\1" + peaks.pop() + current).digest()
                level += 1
                index >>= 1
                full.append((level, index, current))
            peaks.append(current)
            size += 1
        self.size = size
        return full

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        current = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            current = node_hash(peak, current)
        return current
