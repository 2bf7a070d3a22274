"""Log heads that verdicts committed to: was the log, at that size, the one that is read here?

Whoever cuts the log below such a head, or rewrites it, cannot keep the verdict: its signature names another past. Roots
of the past are recomputed from the leaves that were just read, a bounded number of them; a head from further back is
never called right, only unchecked.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final

from squads.ledger.merkle import Edge
from squads.ledger.report import Tally

HEADS_BACK_MAX: Final = 65_536
"""How many receipts a head may lie behind the verdict that names it and still be recomputed, at the least."""
_STRIDE: Final = 16


class Heads:
    """Follows the tree, and the heads that verdicts speak of."""

    __slots__ = ("_edge", "_pending", "_roots", "_starts", "_stretches", "_tally")

    def __init__(self, tally: Tally) -> None:
        """Tell `tally` what is wrong."""
        self._tally = tally
        self._edge = Edge()
        self._starts: list[int] = []
        self._stretches: list[tuple[Edge, list[bytes]]] = []
        self._pending: list[tuple[int, int, str]] = []
        self._roots: dict[int, str] = {}

    def claim(self, seq: int, head: Any) -> None:
        """Take in the head that the verdict at `seq` names; it is compared when the leaves below it were fed."""
        size, root = (head.get("size"), head.get("root")) if isinstance(head, dict) else (None, None)
        if type(size) is not int or not isinstance(root, str) or size < 0:
            self._tally.fail("tree-head", f"receipt {seq}: the log head that it names is none", seq)
        elif size > seq:
            self._tally.fail(
                "tree-head",
                f"receipt {seq}: its verdict was signed over a log of {size} receipts, more than stand before it: the "
                "log was cut and written anew",
                seq,
            )
        else:
            self._pending.append((seq, size, root))

    def feed(self, hashes: list[bytes], misplaced_from: int | None) -> None:
        """Go on along the leaves, then compare the heads that were claimed."""
        for start in range(0, len(hashes), _STRIDE):
            stretch = hashes[start : start + _STRIDE]
            self._starts.append(self._edge.size)
            self._stretches.append((self._edge.copy(), stretch))
            self._edge.extend(stretch)
        pending, self._pending = self._pending, []
        for seq, size, root in pending:
            self._compare(seq, size, root, misplaced_from)
        if (spare := len(self._starts) - 2 * HEADS_BACK_MAX // _STRIDE) > 0:
            # Rarely, and many at once: the lists are searched, so they are lists.
            spare += HEADS_BACK_MAX // _STRIDE
            del self._starts[:spare], self._stretches[:spare]
            self._roots.clear()

    def _compare(self, seq: int, size: int, root: str, misplaced_from: int | None) -> None:
        if misplaced_from is not None:
            message = f"the log head in receipt {seq} cannot be compared where receipts are missing or misplaced"
            self._tally.note("tree-head", "unchecked", message, seq)
            return
        own = self._root(size)
        if own is None:
            message = (
                f"the log head in receipt {seq} lies more than {HEADS_BACK_MAX} receipts back; it was not recomputed"
            )
            self._tally.note("tree-head", "unchecked", message, seq)
        elif own != root:
            self._tally.fail(
                "tree-head",
                f"receipt {seq}: its verdict was signed over another log of {size} receipts than the one that stands "
                "here: the log was cut and written anew, or the gate was shown a fork; keep both",
                seq,
            )

    def _root(self, size: int) -> str | None:
        known = self._roots.get(size)
        if known is not None:
            return known
        at = bisect_right(self._starts, size) - 1
        if at < 0:
            return None
        edge, stretch = self._stretches[at]
        twin = edge.copy()
        twin.extend(stretch[: size - edge.size])
        if len(self._roots) > 4_096:
            self._roots.clear()
        self._roots[size] = twin.root().hex()
        return self._roots[size]
