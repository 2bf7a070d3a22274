"""What every `Ledger` must prove about its receipts, as tests; `LedgerConformance` brings them along.

It must never believe a proof because the ledger that made it says so: every one is checked against roots that were
computed from the leaves or signed.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from squads.contracts.errors import InvalidInput
from squads.kernel.ports import Head, Ledger, Proved
from squads.ledger.checkpoint import verify_checkpoint
from squads.ledger.merkle import EMPTY_ROOT, Edge
from squads.ledger.proof import check_consistency, check_inclusion
from squads.testing.signed_entries import TRUST, raises, ticket


class ProofConformance:
    """The part of the suite that is about proofs."""

    def opened(self, where: Path) -> AbstractAsyncContextManager[Ledger]:
        """Open the ledger, and close it at the end of the block."""
        raise TypeError("a subclass says how to open one")

    async def test_every_receipt_is_proved_under_the_newest_checkpoint(self, tmp_path: Path) -> None:
        """Many at once, in any order, one twice: each path leads from the leaf to the root that was signed."""
        async with self.opened(tmp_path) as ledger:
            await _grown(ledger, 37)
            leaves = [stored async for _, _, stored in ledger.scan()]
            indexes = [36, 0, 17, 17, *range(36, -1, -1)]
            proved = await ledger.prove(indexes)

            assert proved.head == await ledger.head()
            assert verify_checkpoint(proved.head.checkpoint, TRUST.log_key)[1:] == (37, proved.head.root)
            assert len(proved.paths) == len(indexes)
            for index, path in zip(indexes, proved.paths, strict=True):
                check_inclusion(leaves[index], index, 37, proved.head.root, path)
            assert await ledger.prove([]) == Proved(head=proved.head, paths=())

    async def test_a_receipt_is_proved_under_an_older_checkpoint_too(self, tmp_path: Path) -> None:
        """Whoever holds an old note gets proofs for just that one, whatever was appended since."""
        async with self.opened(tmp_path) as ledger:
            heads = [await _grown(ledger, size) for size in (1, 2, 5, 8, 21)]
            leaves = [stored async for _, _, stored in ledger.scan()]
            for head in heads:
                proved = await ledger.prove(range(head.size), size=head.size)

                assert (proved.head.size, proved.head.root) == (head.size, head.root)
                assert proved.head.checkpoint == head.checkpoint
                for index, path in enumerate(proved.paths):
                    check_inclusion(leaves[index], index, head.size, head.root, path)

    async def test_every_older_tree_begins_every_newer_one(self, tmp_path: Path) -> None:
        """Between any two sizes, also such as no checkpoint was signed over: those inside one append."""
        async with self.opened(tmp_path) as ledger:
            await _grown(ledger, 20)
            edge, roots = Edge(), [EMPTY_ROOT]
            async for _, _, stored in ledger.scan():
                edge.append(stored)
                roots.append(edge.root())
            for new in range(1, 21):
                for old in range(1, new + 1):
                    check_consistency(old, roots[old], new, roots[new], await ledger.consistency(old, new))

    async def test_what_cannot_be_proved_is_invalid_input(self, tmp_path: Path) -> None:
        """Indexes outside the checkpoint, sizes that none was signed over, growth from nothing or out of more."""
        async with self.opened(tmp_path) as ledger:
            assert await ledger.prove([]) == Proved(head=await ledger.head(), paths=())
            for indexes in ([0], [-1]):
                await raises(InvalidInput, ledger.prove(indexes))
            for old, new in ((0, 0), (0, 1), (1, 1)):
                await raises(InvalidInput, ledger.consistency(old, new))
            await _grown(ledger, 3)
            await _grown(ledger, 9)
            for indexes in ([9], [0, 9, 1], [-1], [2**63], [2**70]):
                await raises(InvalidInput, ledger.prove(indexes))
            await raises(InvalidInput, ledger.prove([3], size=3))
            for size in (-1, 0, 4, 10, 2**63, 2**70):
                await raises(InvalidInput, ledger.prove([0], size=size))
            for old, new in ((0, 0), (0, 9), (-1, 9), (5, 4), (1, 10), (2**70, 2**70)):
                await raises(InvalidInput, ledger.consistency(old, new))

            assert await ledger.consistency(9, 9) == []

    async def test_proofs_hold_while_the_log_grows(self, tmp_path: Path) -> None:
        """Head and paths are of one moment, however many append meanwhile; each head begins the next one's tree."""
        async with self.opened(tmp_path) as ledger:
            await _grown(ledger, 2)
            done = asyncio.gather(*(ledger.append([ticket(f"s{n}")], expect={}, time_ms=10) for n in range(40)))
            seen = [await ledger.prove([0, 1]) for _ in range(10)]
            await done
            leaves = [stored async for _, _, stored in ledger.scan()]
            for proved in [*seen, await ledger.prove([0, 1])]:
                for index, path in enumerate(proved.paths):
                    check_inclusion(leaves[index], index, proved.head.size, proved.head.root, path)
            newest = await ledger.head()
            for proved in seen:
                grown = await ledger.consistency(proved.head.size, newest.size)
                check_consistency(proved.head.size, proved.head.root, newest.size, newest.root, grown)


async def _grown(ledger: Ledger, size: int) -> Head:
    """Append until the log has `size` receipts, the last of them together, and return the new head."""
    before = (await ledger.head()).size
    more = [ticket(f"grown-{number % 3}", number) for number in range(before, size)]
    return (await ledger.append(more, expect={}, time_ms=10)).head
