"""Appends on their way into one transaction: what each expects is compared, in order, and places are given out.

What the rules are stands in `ledger_rows`, `lease_rows` and `ledger.sequence`; here rows are read before, and written
after. It must never compare with anything but what the locked database says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from squads.adapters.lease_rows import check_fence
from squads.adapters.ledger_rows import accounts_after, check_expected, check_time
from squads.adapters.postgres_content import Keyring
from squads.contracts.errors import Conflict, LeaseLost, Overdrawn, SubjectErased
from squads.kernel.budget import NOTHING_SPENT, Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import WORKSPACE, Lease
from squads.ledger.sequence import Batch, Tail, sequence

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

STREAMS_CACHED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Work for the store: entries in their streams, and the content that they speak of."""

    streams: Sequence[str] = ()
    bodies: Sequence[bytes] = ()
    """One for each of `streams`, from `leaf.encode_body`; none where only content is stored."""
    expect: Mapping[str, int] = field(default_factory=dict)
    time_ms: int = 0
    content: Sequence[bytes] = ()
    reserve: Reservation | None = None
    settle: Settlement | None = None
    fence: Lease | None = None
    subject: str | None = None
    """Whose the content is; None is whoever the first stream belongs to."""

    @property
    def size_bytes(self) -> int:
        """About what it adds to the database."""
        return sum(map(len, self.bodies)) + sum(map(len, self.content))


@dataclass(slots=True)
class Stream:
    """One stream: its row, how long it is, and whose it is. Id 0 is one that is not there yet."""

    id: int
    length: int
    subject: str


class Streams:
    """The streams that this process knows, as the locked database has them."""

    def __init__(self) -> None:
        self._known: dict[str, Stream] = {}
        self._next = 0
        self._fresh: list[tuple[int, str, str]] = []

    def forget(self) -> None:
        """Know nothing any more."""
        self._known.clear()
        self._fresh.clear()
        self._next = 0

    def tidy(self) -> None:
        """Stay small. Between transactions only: inside one, there are lengths that the tables do not show yet."""
        if len(self._known) > STREAMS_CACHED_MAX:
            self.forget()

    async def load(self, connection: Connection, names: set[str]) -> None:
        """Read those of these streams that are not known yet."""
        wanted = sorted(names - self._known.keys())
        if wanted:
            rows = await connection.fetch(
                "SELECT name, id, (SELECT max(position) + 1 FROM entry WHERE stream = id), subject FROM stream "
                "WHERE name = ANY($1::text[])",
                wanted,
            )
            for name, row, length, subject in rows:
                self._known[name] = Stream(row, length or 0, subject)
        if not self._next:
            self._next = await connection.fetchval("SELECT coalesce(max(id), 0) + 1 FROM stream")

    def length(self, name: str) -> int:
        """Return how many receipts a stream has."""
        found = self._known.get(name)
        return found.length if found else 0

    def owner(self, name: str) -> str:
        """Return whose a stream is; what is no stream yet is its own, and the workspace's is nobody's."""
        found = self._known.get(name)
        return found.subject if found else "" if name == WORKSPACE else name

    def grow(self, name: str, named: str | None) -> tuple[int, int]:
        """Return a stream's id and the next position in it; one that begins belongs to who is named."""
        found = self._known.get(name)
        if found is None:
            subject = "" if name == WORKSPACE else self.owner(name if named is None else named)
            found = self._known[name] = Stream(self._next, 0, subject)
            self._fresh.append((found.id, name, found.subject))
            self._next += 1
        found.length += 1
        return found.id, found.length - 1

    async def write(self, connection: Connection) -> None:
        """Insert the streams that began in this transaction."""
        fresh, self._fresh = self._fresh, []
        if fresh:
            await connection.execute(
                "INSERT INTO stream (id, name, subject) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])",
                *zip(*fresh, strict=True),
            )


class Run:
    """The appends of one transaction, in order."""

    def __init__(self, streams: Streams, keys: Keyring, tail: Tail) -> None:
        """Begin at the log's end."""
        self._streams = streams
        self._keys = keys
        self.tail = tail
        self.entries: list[tuple[int, int, int, bytes, bytes]] = []
        self.nodes: list[tuple[int, int, bytes]] = []
        self.hashes: list[bytes] = []

    async def take(
        self, connection: Connection, works: Sequence[Append]
    ) -> list[Batch | Conflict | LeaseLost | Overdrawn | SubjectErased | bool | None]:
        """Give these appends their places, and write what stands beside the log; return an outcome for each."""
        if not works:
            return []
        # 1. What the works speak of, as it stands under the lock.
        names = {name for work in works for name in (*work.streams, *work.expect)}
        await self._streams.load(connection, names | {work.subject for work in works if work.subject})
        leases = await _leases(connection, works)
        accounts = await _accounts(connection, works)
        await self._keys.load(connection, [self._subject(work) for work in works if work.content])
        moved: dict[str, Spend] = {}
        held: dict[str, tuple[str, int] | None] = {}
        contents: list[tuple[bytes, str, bytes]] = []
        outcomes: list[Batch | Conflict | LeaseLost | Overdrawn | SubjectErased | bool | None] = []
        for work in works:
            # 2. What the caller expects holds, or nothing of this work is written.
            try:
                fence = work.fence
                taken = fence is not None and check_fence(fence, leases.get(fence.packet))
                check_expected(work.expect, self._streams.length)
                if work.bodies:
                    check_time(work.time_ms, self.tail.time_ms)
                after = accounts_after(work.reserve, work.settle, _reader(accounts))
                subject = self._subject(work)
                if work.content:
                    self._keys.check(subject)
            except (Conflict, LeaseLost, Overdrawn, SubjectErased) as error:
                outcomes.append(error)
                continue
            # 3. Places in the log, and in each stream.
            batch = sequence(self.tail, work.bodies, work.time_ms) if work.bodies else None
            if batch is not None:
                rows = zip(work.streams, batch.leaves, batch.hashes, strict=True)
                for seq, (name, leaf, digest) in enumerate(rows, batch.first_seq):
                    self.entries.append((seq, *self._streams.grow(name, work.subject), leaf, digest))
                self.nodes += batch.nodes
                self.hashes += batch.hashes
                self.tail = batch.tail
            # 4. Content, shared accounts and the lease ride in the same transaction.
            contents += [self._keys.seal(subject, content) for content in dict.fromkeys(work.content)]
            accounts |= after
            moved |= after
            if fence is not None and (fence.last or taken):
                held[fence.packet] = None if fence.last else (fence.holder, fence.token)
                leases[fence.packet] = held[fence.packet]
            outcomes.append(True if batch is None else batch)
        await self._keys.write(connection, contents)
        await _write_accounts(connection, moved)
        await _write_leases(connection, held)
        return outcomes

    def _subject(self, work: Append) -> str:
        if work.subject is not None:
            return self._streams.owner(work.subject)
        return self._streams.owner(work.streams[0]) if work.streams else ""


def _reader(accounts: Mapping[str, Spend]) -> Callable[[str], Spend]:
    return lambda name: accounts.get(name, NOTHING_SPENT)


async def _leases(connection: Connection, works: Sequence[Append]) -> dict[str, tuple[str, int] | None]:
    packets = sorted({work.fence.packet for work in works if work.fence is not None})
    if not packets:
        return {}
    rows = await connection.fetch("SELECT packet, holder, token FROM lease WHERE packet = ANY($1::text[])", packets)
    return {packet: (holder, token) for packet, holder, token in rows}


async def _write_leases(connection: Connection, held: Mapping[str, tuple[str, int] | None]) -> None:
    taken = [(packet, *lease) for packet, lease in held.items() if lease is not None]
    if held:
        await connection.execute("DELETE FROM lease WHERE packet = ANY($1::text[])", list(held))
    if taken:
        await connection.execute(
            "INSERT INTO lease (packet, holder, token) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])",
            *zip(*taken, strict=True),
        )


async def _accounts(connection: Connection, works: Sequence[Append]) -> dict[str, Spend]:
    moves = [move for work in works for move in (work.reserve, work.settle) if move is not None]
    return await balances(connection, sorted({move.account for move in moves})) if moves else {}


async def balances(connection: Connection, names: Sequence[str] | None = None) -> dict[str, Spend]:
    """Return how shared accounts stand: these, or all of them."""
    rows = await connection.fetch(
        "SELECT name, tokens, microusd, wait_ms, calls, tokens_reserved, microusd_reserved, wait_ms_reserved "
        "FROM account WHERE $1::text[] IS NULL OR name = ANY($1::text[]) ORDER BY name",
        names,
    )
    return {name: Spend(*spend) for name, *spend in rows}


async def _write_accounts(connection: Connection, accounts: Mapping[str, Spend]) -> None:
    if accounts:
        await connection.executemany(
            "INSERT INTO account VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE SET "
            "tokens = $2, microusd = $3, wait_ms = $4, calls = $5, tokens_reserved = $6, microusd_reserved = $7, "
            "wait_ms_reserved = $8",
            [(name, *spend) for name, spend in accounts.items()],
        )
