"""A ledger whose appends wait until it was compared with what is known outside, and are told of.

Everything else is the ledger's own. It must never let an entry through before the comparison, whoever appends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from squads.kernel.budget import Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.model_ports import Journal
from squads.kernel.ports import Appended, BlobStore, Entry, Head, Lease, Leases, Ledger, Proved, Stored


class AnchoredLedger:
    """A `Ledger` in front of another.

    Args:
        before: Awaited before every append; what it raises keeps the append from happening.
        after: Told the new head of every append.
    """

    def __init__(self, ledger: Ledger, *, before: Callable[[], Awaitable[None]], after: Callable[[Head], None]) -> None:
        self.inner = ledger
        self._before = before
        self._after = after

    async def append(
        self,
        entries: Sequence[Entry],
        *,
        expect: Mapping[str, int],
        time_ms: int,
        content: Sequence[bytes] = (),
        reserve: Reservation | None = None,
        settle: Settlement | None = None,
        fence: Lease | None = None,
        subject: str | None = None,
    ) -> Appended:
        """Append all `entries` in order, or none of them; see `Ledger.append`."""
        await self._before()
        appended = await self.inner.append(
            entries,
            expect=expect,
            time_ms=time_ms,
            content=content,
            reserve=reserve,
            settle=settle,
            fence=fence,
            subject=subject,
        )
        self._after(appended.head)
        return appended

    async def balance(self, account: str) -> Spend:
        """Return how a shared account stands."""
        return await self.inner.balance(account)

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order, from its `start`-th on."""
        return await self.inner.read(stream, start=start)

    async def streams(self) -> list[str]:
        """Return the names of all streams, oldest first."""
        return await self.inner.streams()

    async def head(self) -> Head:
        """Return the newest checkpoint."""
        return await self.inner.head()

    def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash) of the whole log in order."""
        return self.inner.scan(start=start)

    async def checkpoints(self) -> list[str]:
        """Return every stored checkpoint note, oldest first."""
        return await self.inner.checkpoints()

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs."""
        return await self.inner.prove(indexes, size=size)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return a consistency proof."""
        return await self.inner.consistency(old, new)

    async def erase(self, subject: str) -> int:
        """Destroy a subject's key and all its content."""
        return await self.inner.erase(subject)

    async def subjects(self) -> dict[str, str]:
        """Return whose each stream is."""
        return await self.inner.subjects()

    @property
    def blobs(self) -> BlobStore:
        """The content store that `append` writes `content` to."""
        return self.inner.blobs

    @property
    def journal(self) -> Journal:
        """The journal of what was paid for."""
        return self.inner.journal

    @property
    def leases(self) -> Leases:
        """Who holds which packet."""
        return self.inner.leases

    async def close(self) -> None:
        """Finish what was accepted and let go of the medium."""
        await self.inner.close()
