"""A ledger held against what an anchor holds, before anything is signed on it.

Whatever lies in an anchor besides checkpoints that the log's key signed accuses nobody. It must never look at the
ledger's end before the anchor alone: what others append and anchor meanwhile is no rollback.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from squads.contracts.errors import LedgerBroken, LedgerError, RollbackDetected
from squads.kernel.ports import Anchor, Head, Ledger
from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.evidence import Forked
from squads.ledger.note import VerifierKey
from squads.ledger.proof import check_consistency

COMPARED_MAX: Final = 16
"""How many checkpoints of an anchor are compared at a start; `squads verify` compares all of them."""
BACK: Final = (0, 2**10, 2**14, 2**18, 2**22)
"""How far back an anchor is asked for its newest note, step by step: reading all of them may take long."""


class Comparing:
    """Compares one ledger with anchors.

    Args:
        log_key: Whose signature counts.
        evidence: Keeps fork evidence, given its bytes and size, and returns where; None keeps none.
    """

    def __init__(self, ledger: Ledger, log_key: VerifierKey, evidence: Callable[[bytes, int], str] | None) -> None:
        self._ledger = ledger
        self._log_key = log_key
        self._evidence = evidence

    async def genuine(self, anchor: Anchor, since: int) -> list[tuple[str, Checkpoint]]:
        """Return the notes of this log in an anchor with what they say, verified, fewest receipts first."""
        found: dict[str, Checkpoint] = {}
        for note in await anchor.notes(since=since):
            with suppress(Malformed):  # whatever else lies there counts for nothing
                checkpoint = verify_checkpoint(note, self._log_key)
                if checkpoint.size > 0:
                    found[note] = checkpoint
        return sorted(found.items(), key=lambda pair: pair[1].size)

    async def compared(self, anchor: Anchor) -> tuple[int, int]:
        """Return how many receipts the anchor's newest checkpoint covers, and how many there are.

        Raises `RollbackDetected` where that is more than there are, and `LedgerBroken` where they are others.
        """
        # 1. What it holds of this log, from about here on.
        length = (await self._ledger.head()).size
        found: list[tuple[str, Checkpoint]] = []
        for since in dict.fromkeys((*(max(0, length - back) for back in BACK), 0)):
            if found := await self.genuine(anchor, since):
                break
        # 2. The end of the ledger after that.
        head = await self._ledger.head()
        if not found:
            return 0, head.size
        covered = found[-1][1].size
        if covered > head.size:
            raise RollbackDetected(
                f"the ledger ends after {head.size} receipts, but a checkpoint in {anchor.name} covers {covered}: an "
                "old copy was restored, or its tail was cut; find the newer copy; if there is none, keep this one as "
                "evidence and begin a new store"
            )
        # 3. The ledger goes on from there. One note of each checkpoint: what comes again says nothing new.
        for checkpoint, note in list({checkpoint: note for note, checkpoint in found}.items())[-COMPARED_MAX:]:
            await self._check_begins(anchor, note, checkpoint, head)
        return covered, head.size

    async def _check_begins(self, anchor: Anchor, note: str, checkpoint: Checkpoint, head: Head) -> None:
        """Raise `LedgerBroken` unless the ledger under `head` begins with what the checkpoint was signed over."""
        path = await self._ledger.consistency(checkpoint.size, head.size)
        try:
            newest = verify_checkpoint(head.checkpoint, self._log_key)
            check_consistency(checkpoint.size, checkpoint.root, newest.size, newest.root, path)
        except Malformed as error:
            kept = await self._kept(note, checkpoint.size, head)
            raise LedgerBroken(
                f"this is not the log whose first {checkpoint.size} receipts are signed for in {anchor.name}: it was "
                f"rewritten or forked ({error}); {kept}; run `squads verify`"
            ) from None

    async def _kept(self, note: str, size: int, head: Head) -> str:
        """Keep what proves the fork, where both notes are the log key's; return what was done as words."""
        try:
            forked = Forked(note, head.checkpoint, self._log_key)
            async for _, _, stored in self._ledger.scan():
                forked.feed((stored,))
            data = forked.evidence()
        except (Malformed, LedgerError):
            return "keep both copies as evidence"
        if self._evidence is None:
            return "the log's key signed both"
        return f"the proof that the log's key signed both is in {self._evidence(data, size)}"
