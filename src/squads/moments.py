"""One moment of a kept ledger, whatever keeps it: what an audit, a page and a desk read.

Everything that a moment gives was there at once. It needs no key but for content, and writes nothing.
`StillLedger` reads one as a `Ledger` is read, for what works on either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from squads.adapters.ledger_rows import consistency_of, no_checkpoint, paths_of, stored_of
from squads.contracts.errors import BlobMissing, KeyUnavailable, LedgerBroken
from squads.kernel.budget import Spend
from squads.kernel.ports import Head, Proved, Stored
from squads.ledger.checkpoint import parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.merkle import EMPTY_ROOT
from squads.ledger.proof import NodeReader, consistency_places, inclusion_places
from squads.ledger.proof import Place as NodePlace
from squads.stores import CONTENT_KEYS, Place, StoreUrl, content_key


class Moment(Protocol):
    """Rows of one moment, in constant memory. Use it while its block is open."""

    @property
    def name(self) -> str:
        """How people call the ledger: a path, or a URL without user and password."""
        ...

    @property
    def readable(self) -> bool:
        """False where the keys of its content are not on this machine: then no content is found."""
        ...

    def leaves(self, *, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash), in order, from `start` on."""
        ...

    def checkpoints(self) -> Iterator[str]:
        """Yield every stored note, oldest first."""
        ...

    def newest_checkpoint(self) -> str | None:
        """Return the newest note; None where there is none."""
        ...

    def nodes(self, level: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, hash) of the stored subtrees of a level, 1 or higher, in order."""
        ...

    def nodes_at(self, places: Collection[NodePlace]) -> NodeReader:
        """Return a reader of the nodes at these places; level 0 are the leaf hashes as they are stored."""
        ...

    def filed(self) -> Iterator[tuple[int, str, int]]:
        """Yield (seq, stream, position) as the index has them, in order of seq."""
        ...

    def of(self, streams: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield (stream, leaf bytes, stored leaf hash) of these streams, in the order of the log."""
        ...

    def beginning(self, start: str, limit: int) -> list[str]:
        """Return the names of the streams that begin so, `limit` at most."""
        ...

    def content(self, digest: str) -> bytes | None:
        """Return content, None where there is none. Raises `BlobBroken` for what is not what it was stored as."""
        ...

    def balances(self) -> dict[str, Spend]:
        """Return every shared account."""
        ...

    def subjects(self) -> dict[str, str]:
        """Return whose each stream is, by the stream's name."""
        ...


def moment_of(place: Place, own: Path) -> AbstractContextManager[Moment]:
    """Return a block with one moment of the ledger kept in `place`; `own` is the directory of its keys.

    Raises `LedgerError` for what is no ledger, or cannot be read.
    """
    if isinstance(place, StoreUrl):
        from squads.adapters.postgres_moment import postgres_moment

        try:
            key = content_key(own)
        except KeyUnavailable:  # an auditor needs none: only content stays closed
            key = None
        return postgres_moment(place.url, content_key=key)
    from squads.adapters.sqlite_moment import sqlite_moment

    return sqlite_moment(place / "ledger.db", vault=own / CONTENT_KEYS)


class StillLedger:
    """The reading half of a `Ledger` over one moment, which never grows. It believes no row: who reads verifies.

    Its methods block, so use it on a loop of its own.
    """

    def __init__(self, moment: Moment) -> None:
        """Read this moment, while its block is open."""
        self._moment = moment
        self.blobs = StillBlobs(moment)

    async def head(self) -> Head:
        """Return the newest checkpoint; size 0 for an empty log. Its time is not read. Raises `LedgerBroken`."""
        note = self._moment.newest_checkpoint()
        if note is None:
            return Head(size=0, root=EMPTY_ROOT, time_ms=0, checkpoint="")
        try:
            checkpoint = parse_checkpoint(note)
        except Malformed as error:
            raise LedgerBroken(f"{self._moment.name}: the newest checkpoint cannot be read: {error}") from None
        return Head(size=checkpoint.size, root=checkpoint.root, time_ms=0, checkpoint=note)

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order, from its `start`-th on."""
        return [stored_of(*row) for row in self._moment.of((stream,))][start:]

    async def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash) in order."""
        for row in self._moment.leaves(start=start):
            yield row

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs under the newest checkpoint; there is none of another size."""
        head = await self.head()
        if size not in (None, head.size):
            raise no_checkpoint(size or 0)
        places = {place for index in indexes for place in inclusion_places(index, head.size)}
        return Proved(head=head, paths=paths_of(indexes, head.size, self._moment.nodes_at(places)))

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `old` receipts begin the first `new`."""
        places = consistency_places(old, new) if 0 < old <= new else []
        return consistency_of(old, new, (await self.head()).size, self._moment.nodes_at(places))


class StillBlobs:
    """The content of one moment."""

    def __init__(self, moment: Moment) -> None:
        """Read this moment, while its block is open."""
        self._moment = moment

    async def get(self, digest: str) -> bytes:
        """Return content. Raises `BlobMissing`, `BlobBroken`."""
        found = self._moment.content(digest)
        if found is None:
            raise BlobMissing(f"no content under {digest} in {self._moment.name}: never stored, erased, or without key")
        return found
