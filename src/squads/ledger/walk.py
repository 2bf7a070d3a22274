"""Structure: is every row a whole leaf, in its place, unchanged, linked to the one before?

The common row costs two hashes and a few comparisons; only an odd one is looked at closely and named. It must
never let an odd row hide the next one, and never say one fault twice in other words.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Final

from squads.ledger.errors import Malformed
from squads.ledger.leaf import LEAF_MAGIC, PAYLOAD_BYTES_MAX, ZERO_HASH, decode_leaf
from squads.ledger.merkle import Edge
from squads.ledger.report import Tally

Row = tuple[int, bytes, bytes]
"""(seq, leaf bytes, stored leaf hash), as the medium gives them, in the medium's order."""


class Walk:
    """Goes along the rows and keeps what the next row is compared with."""

    __slots__ = ("_prev", "_tally", "_time_ms", "edge", "misplaced_from", "next_seq", "rows")

    def __init__(self, tally: Tally) -> None:
        """Start before the first row; tell `tally` what is wrong."""
        self._tally = tally
        # The stored hash of the row before; None where that row was not the one that belongs there.
        self._prev: bytes | None = ZERO_HASH
        self._time_ms = 0
        self.next_seq = 0
        """The seq that the next row must have."""
        self.rows = 0
        self.edge = Edge()
        self.misplaced_from: int | None = None
        """From this seq on rows are missing or in other places, so that roots can no longer be computed."""

    def take(self, chunk: list[Row]) -> list[bytes]:
        """Check the rows' structure and return their recomputed leaf hashes."""
        hashes: list[bytes] = []
        at = 0
        while at < len(chunk):
            if self._prev is not None:
                sound, self._time_ms = _quick(chunk, at, self.next_seq, self._prev, self._time_ms, hashes)
                if sound:
                    at += sound
                    self.next_seq += sound
                    self._prev = hashes[-1]
            if at < len(chunk):
                self._structure(*chunk[at])
                hashes.append(sha256(b"\0" + chunk[at][1]).digest())
                at += 1
        self.rows += len(chunk)
        return hashes

    def _structure(self, seq: int, data: bytes, stored: bytes) -> None:
        """Say everything that is wrong with one row, and go on after it."""
        fail = self._tally.fail
        before, self._prev = self._prev, stored
        if seq != self.next_seq:
            self._displaced(seq)
            if seq > self.next_seq:
                gap = f"{self.next_seq} is" if seq == self.next_seq + 1 else f"{self.next_seq} to {seq - 1} are"
                fail("sequence", f"receipt {gap} missing: rows were dropped; restore them from a copy", self.next_seq)
            else:
                fail("sequence", f"receipt {seq} comes again after {self.next_seq - 1}: rows were put in", seq)
            before = None
        self.next_seq = seq + 1
        if sha256(b"\0" + data).digest() != stored:
            fail(
                "leaf-hash",
                f"receipt {seq} was changed after it was written: its bytes no longer have the hash that was "
                "stored with them; restore this row from a copy",
                seq,
            )
        try:
            leaf = decode_leaf(data)
        except Malformed as error:
            fail("framing", f"receipt {seq} is not a whole leaf: {error}; restore this row from a copy", seq)
            return
        if leaf.seq != seq:
            self._displaced(seq)
            fail(
                "sequence",
                f"row {seq} holds the receipt that was written as number {leaf.seq}: rows were re-ordered or "
                "renumbered; restore the ledger from a copy",
                seq,
            )
            # Neither this row's link and time nor the next one's link can be right, and saying so helps nobody.
            self._prev = None
            return
        if before is not None and leaf.prev != before:
            fail(
                "link",
                f"receipt {seq} was written after another receipt {seq - 1} than the one that stands there: that "
                "one was replaced; restore it from a copy",
                seq,
            )
        if leaf.time_ms < self._time_ms:
            fail("time", f"receipt {seq} claims a time before that of the receipt before it", seq)
        self._time_ms = max(self._time_ms, leaf.time_ms)

    def _displaced(self, seq: int) -> None:
        if self.misplaced_from is None:
            self.misplaced_from = min(seq, self.next_seq)


_HEAD: Final = struct.Struct(">18sQ32sQH").unpack_from
_LENGTH: Final = struct.Struct(">I").unpack_from
_ONE_ED25519: Final = b"\0\x40"


def _quick(chunk: list[Row], at: int, seq: int, prev: bytes, time_ms: int, hashes: list[bytes]) -> tuple[int, int]:
    """Append the hashes of the sound rows from `at` on; return how many, and the last one's time.

    It stops, without judging, at the first row that is odd in any way. The frame is read by hand for the
    common leaf with one Ed25519 signature; `decode_leaf` reads every other. This loop is what a million
    receipts cost.
    """
    digest, start = sha256, len(hashes)
    known_type = b""
    for index in range(at, len(chunk)):
        row_seq, leaf, stored = chunk[index]
        current = digest(b"\0" + leaf).digest()
        if current != stored or row_seq != seq or len(leaf) < 200:
            break
        magic, leaf_seq, leaf_prev, leaf_time, length = _HEAD(leaf)
        if magic != LEAF_MAGIC or leaf_seq != seq or leaf_prev != prev or leaf_time < time_ms:
            break
        end = 68 + length
        payload_type = leaf[68:end]
        try:
            (size,) = _LENGTH(leaf, end)
            end += 4 + size
            # Count 1, then 32 bytes of key id, then the length 64, then 64 bytes, then nothing.
            plain = (
                payload_type == known_type
                and size <= PAYLOAD_BYTES_MAX
                and len(leaf) == end + 99
                and leaf[end] == 1
                and leaf[end + 33 : end + 35] == _ONE_ED25519
                and (seq != 0) != (leaf_prev == ZERO_HASH)
            )
            if not plain:
                decode_leaf(leaf)
                known_type = payload_type
        except (struct.error, Malformed):
            break
        hashes.append(current)
        prev = current
        time_ms = leaf_time
        seq += 1
    return len(hashes) - start, time_ms
