"""The ledger in this process's memory: the same leaves, tree and checkpoints, kept by nobody.

It is the reference for what an adapter does, and what `Squad(...)` uses without a project. It must never behave
better than a durable ledger does: tests that pass here must mean something there.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping, Sequence

from squads.adapters.ledger_rows import (
    accounts_after,
    bodies_of,
    check_expected,
    check_subject,
    check_time,
    consistency_of,
    no_checkpoint,
    paths_of,
    stored_of,
)
from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.memory_leases import MemoryLeases
from squads.contracts.errors import LedgerBroken, StorageUnavailable
from squads.kernel.budget import NOTHING_SPENT, Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import WORKSPACE, Appended, Entry, Head, Lease, Proved, Signer, Stored
from squads.ledger.checkpoint import Checkpoint, check_origin, parse_checkpoint, sign_checkpoint
from squads.ledger.leaf import decode_leaf
from squads.ledger.sequence import Tail, first_difference, sequence


class MemoryLedger:
    """A `Ledger` in lists. Every append is signed and checked as in a durable one; closing it loses nothing more."""

    def __init__(self, origin: str, log_signer: Signer) -> None:
        """Make an empty log.

        Args:
            origin: `<domain>/squads/<log>/<epoch>`; never used for two logs.
            log_signer: Signs checkpoints.
        """
        check_origin(origin)
        self._origin = origin
        self._signer = log_signer
        # Not for waiting: appends from several threads or loops must not interleave.
        self._lock = threading.Lock()
        self._tail = Tail()
        self._rows: list[tuple[bytes, bytes]] = []
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._streams: dict[str, list[int]] = {}
        self._checkpoints: list[str] = []
        self._accounts: dict[str, Spend] = {}
        self._owners: dict[str, str] = {}
        """Whose each stream is, where that is not the stream itself."""
        self._blobs = MemoryBlobs(self._owner)
        self._journal = MemoryJournal(self._blobs.check)
        self._leases = MemoryLeases(self._lock, self._check_open)
        self._closed = False

    @property
    def blobs(self) -> MemoryBlobs:
        """The content store that `append` writes `content` to."""
        return self._blobs

    @property
    def journal(self) -> MemoryJournal:
        """The journal of what was paid for."""
        return self._journal

    @property
    def leases(self) -> MemoryLeases:
        """Who holds which packet."""
        return self._leases

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
        """Append all `entries` in order, or none of them. Raises `LeaseLost`, `Conflict` or `Overdrawn`."""
        bodies = bodies_of(entries, time_ms)
        with self._lock:
            self._check_open()
            taken = fence is not None and self._leases.compared(fence)
            check_expected(expect, lambda stream: len(self._streams.get(stream, ())))
            check_time(time_ms, self._tail.time_ms)
            accounts = accounts_after(reserve, settle, lambda name: self._accounts.get(name, NOTHING_SPENT))
            owner = self._owner(entries[0].stream if subject is None else subject)
            if content:
                self._blobs.check(owner)
            batch = sequence(self._tail, bodies, time_ms)
            rows = list(zip(batch.leaves, batch.hashes, strict=True))
            if first_difference(batch.hashes, rows) is not None:
                raise LedgerBroken("a leaf changed between framing and signing: this machine's memory is not sound")
            root = batch.tail.edge.root()
            # The signer may raise; until it has signed, nothing is kept.
            note = sign_checkpoint(Checkpoint(self._origin, batch.tail.size, root), self._signer)
            for blob in content:
                self._blobs.keep(blob, owner)
            if subject is not None:
                self._owners.update({e.stream: owner for e in entries if e.stream not in self._streams})
            for seq, entry in enumerate(entries, batch.first_seq):
                self._streams.setdefault(entry.stream, []).append(seq)
            self._rows += rows
            self._nodes.update({(level, index): digest for level, index, digest in batch.nodes})
            self._tail = batch.tail
            self._checkpoints.append(note)
            self._accounts.update(accounts)
            if fence is not None:
                self._leases.after(fence, taken=taken)
            return Appended(first_seq=batch.first_seq, head=self._head(root))

    async def balance(self, account: str) -> Spend:
        """Return how a shared account stands."""
        self._check_open()
        return self._accounts.get(account, NOTHING_SPENT)

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order, from its `start`-th on."""
        self._check_open()
        return [stored_of(stream, *self._rows[seq]) for seq in self._streams.get(stream, [])[start:]]

    async def streams(self) -> list[str]:
        """Return the names of all streams, oldest first."""
        self._check_open()
        return list(self._streams)

    async def head(self) -> Head:
        """Return the newest checkpoint; size 0 for an empty log."""
        self._check_open()
        with self._lock:
            return self._head(self._tail.edge.root())

    async def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash), up to where the log ends now."""
        self._check_open()
        for seq in range(start, self._tail.size):
            leaf, stored_hash = self._rows[seq]
            yield seq, leaf, stored_hash

    async def checkpoints(self) -> list[str]:
        """Return every checkpoint note, oldest first."""
        self._check_open()
        return list(self._checkpoints)

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs under the newest checkpoint, or under the one of exactly `size`."""
        self._check_open()
        with self._lock:
            head = self._head(self._tail.edge.root()) if size is None else self._head_at(size)
            return Proved(head=head, paths=paths_of(indexes, head.size, self._node))

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `old` receipts begin the first `new`."""
        self._check_open()
        with self._lock:
            return consistency_of(old, new, self._tail.size, self._node)

    async def erase(self, subject: str) -> int:
        """Let go of all content of a subject, and of its journalled steps."""
        check_subject(subject)
        with self._lock:
            self._check_open()
            self._journal.erase_packets({stream for stream in self._streams if self._owner(stream) == subject})
            return self._blobs.erase_subject(subject)

    async def subjects(self) -> dict[str, str]:
        """Return whose each stream is."""
        self._check_open()
        return {stream: self._owner(stream) for stream in self._streams}

    async def close(self) -> None:
        """Refuse everything from now on."""
        self._closed = True

    def _owner(self, name: str) -> str:
        return "" if name == WORKSPACE else self._owners.get(name, name)

    def _head(self, root: bytes) -> Head:
        return Head(
            size=self._tail.size,
            root=root,
            time_ms=self._tail.time_ms,
            checkpoint=self._checkpoints[-1] if self._checkpoints else "",
        )

    def _head_at(self, size: int) -> Head:
        for note in self._checkpoints:
            found = parse_checkpoint(note)
            if found.size == size:
                newest = decode_leaf(self._rows[size - 1][0])
                return Head(size=size, root=found.root, time_ms=newest.time_ms, checkpoint=note)
        raise no_checkpoint(size)

    def _node(self, level: int, index: int) -> bytes | None:
        if level == 0:
            return self._rows[index][1] if index < len(self._rows) else None
        return self._nodes.get((level, index))

    def _check_open(self) -> None:
        if self._closed:
            raise StorageUnavailable("this ledger was closed; open it again")
