"""One packet at one moment of a kept ledger: its receipts, their signers, its content, and the checkpoint above them.

It needs no key and writes nothing. Every signature is checked and the rules are replayed before anything is shown; what
was erased is reported as erased. A receipt that is no longer what was signed gives no page at all.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from squads.adapters.ledger_rows import stored_of
from squads.adapters.sqlite_schema import check_identity, is_empty, open_reader, translated
from squads.audit import trust_in
from squads.contracts.artifact import Manifest
from squads.contracts.base import digest_of
from squads.contracts.errors import InvalidInput, LedgerBroken, SquadsError, StorageUnavailable, UnknownPacket
from squads.contracts.finding import Usage
from squads.contracts.outcome import RoleSpend
from squads.kernel.ports import WORKSPACE, Stored
from squads.kernel.receipts import Receipt
from squads.kernel.replay import Diverged, Replay
from squads.kernel.view import Stop
from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.trust import Trust
from squads.outcomes import spent_by_role
from squads.workspace import read_verified

BEGINNING_CHARS_MIN = 4
"""How much of a packet's id names it, where no other packet's begins alike."""


class Contents:
    """Content by digest. What is not there, or is not what its digest says, is None and is remembered."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.missing: set[str] = set()
        self.changed: set[str] = set()

    def get(self, digest: str) -> bytes | None:
        """Return the content under a digest, re-hashed, or None."""
        row = self._connection.execute("SELECT content FROM blob WHERE digest = ?", (bytes.fromhex(digest),)).fetchone()
        if row is None:
            self.missing.add(digest)
            return None
        if digest_of(row[0]) != digest:
            self.changed.add(digest)
            return None
        return bytes(row[0])

    def manifest(self, digest: str) -> Manifest | None:
        """Return an artifact's manifest, or None."""
        blob = self.get(digest)
        if blob is None:
            return None
        try:
            return Manifest.parse(blob)
        except ValueError:
            self.changed.add(digest)
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the ledger says of one packet, checked. Use it while the block of `packet_in` is open."""

    packet: str
    origin: str
    store: str
    """The store as it was named, for the command that verifies it."""
    receipts: tuple[Receipt, ...]
    """The packet's own stream, in order."""
    signers: Mapping[int, tuple[str, ...]]
    """Index in the log to the roles that the signing keys held there."""
    checkpoint: Checkpoint
    note: str
    """The signed checkpoint, in full."""
    contents: Contents
    stop: Stop | None = None
    stopped_for_all: bool = False
    spent: tuple[RoleSpend, ...] = ()
    """What each role has spent, by the rules; nothing where they could not be replayed."""
    usage: Usage | None = None
    """The same in all; None where they could not be replayed."""
    unreplayed: str = field(default="")
    """Why the rules could not be replayed over the packet; empty when they gave every output that stands there."""


@contextmanager
def packet_in(store: str | Path, packet: str) -> Iterator[Moment]:
    """Yield one packet of the ledger in `store`; a beginning of its id is enough where it names only one.

    Raises `UnknownPacket`, and `LedgerError` for what is no ledger or does not agree with itself.
    """
    store = Path(store)
    trust = trust_in(store)
    database = store / "ledger.db"
    if not database.is_file():
        raise StorageUnavailable(f"there is no ledger at {database}; check the path")
    connection: sqlite3.Connection | None = None
    try:
        connection = open_reader(database)
        connection.execute("BEGIN")
        if is_empty(connection):
            raise LedgerBroken(f"{database} is an empty database, no ledger; check the path")
        check_identity(connection, database)
        yield _moment(connection, store, trust, _named(connection, packet))
    except sqlite3.Error as error:
        raise translated(error, database) from error
    finally:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _named(connection: sqlite3.Connection, packet: str) -> str:
    """Return the whole id of the packet that is meant."""
    if not re.fullmatch(rf"[0-9a-f]{{{BEGINNING_CHARS_MIN},32}}", packet):
        raise InvalidInput(
            f"{packet[:60]!r} is no packet's id: 32 hex digits, of which the first {BEGINNING_CHARS_MIN} or more may "
            "do; `squads gate` prints it"
        )
    rows = connection.execute("SELECT name FROM stream WHERE substr(name, 1, ?) = ? LIMIT 2", (len(packet), packet))
    found = [str(name) for (name,) in rows]
    if not found:
        raise UnknownPacket(f"there is no packet {packet} in this ledger; `squads gate` prints the ids of its packets")
    if len(found) > 1:
        raise InvalidInput(f"several packets begin with {packet}; give more of the id")
    return found[0]


def _moment(connection: sqlite3.Connection, store: Path, trust: Trust, packet: str) -> Moment:
    contents = Contents(connection)
    replay = Replay(contents.manifest, keep={packet})
    receipts: list[Receipt] = []
    signers: dict[int, tuple[str, ...]] = {}
    unreplayed = ""
    for stored in _stored(connection, packet):
        receipt = read_verified(stored, replay.view)
        own = stored.stream == packet
        if own:
            assert replay.view is not None
            if receipt.predicate.get("packet") != packet:
                raise LedgerBroken(f"receipt {receipt.seq} is filed under another packet; run `squads verify`")
            receipts.append(receipt)
            signers[receipt.seq] = tuple(
                role for key in receipt.keys for role in sorted(replay.view.roles_of(key.hex()))
            )
        if own and unreplayed:
            continue
        try:
            replay.feed(receipt)
        except Diverged as error:
            unreplayed = _excused(error, contents)
    if not unreplayed:
        try:
            replay.close()
        except Diverged as error:
            unreplayed = _excused(error, contents)
    if replay.view is None or not receipts:
        raise LedgerBroken(f"packet {packet} has no receipt; run `squads verify {store}`")
    state = None if unreplayed else replay.packets.get(packet)
    checkpoint, note = _checkpoint(connection, trust, receipts[-1].seq)
    return Moment(
        packet=packet,
        origin=trust.origin,
        store=str(store),
        receipts=tuple(receipts),
        signers=signers,
        checkpoint=checkpoint,
        note=note,
        contents=contents,
        stop=replay.view.stopped(packet),
        stopped_for_all="" in replay.view.stops,
        spent=spent_by_role(state) if state else (),
        usage=state.spend.usage if state else None,
        unreplayed=unreplayed,
    )


def _excused(error: SquadsError, contents: Contents) -> str:
    """Return why the replay ended early, where erased content explains it; raise where it does not."""
    if contents.missing:
        return "the manifest of an artifact was erased, and without it the rules cannot be replayed over this packet"
    raise error


def _stored(connection: sqlite3.Connection, packet: str) -> Iterator[Stored]:
    rows = connection.execute(
        "SELECT stream.name, entry.leaf, entry.leaf_hash FROM entry JOIN stream ON stream.id = entry.stream "
        "WHERE stream.name IN (?, ?) ORDER BY entry.seq",
        (WORKSPACE, packet),
    )
    for name, leaf, leaf_hash in rows:
        yield stored_of(name, leaf, leaf_hash)


def _checkpoint(connection: sqlite3.Connection, trust: Trust, newest: int) -> tuple[Checkpoint, str]:
    row = connection.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:
        raise LedgerBroken("this ledger has no checkpoint; restore it from a copy that verifies")
    try:
        checkpoint = verify_checkpoint(row[0], trust.log_key)
    except Malformed as error:
        raise LedgerBroken(f"the newest checkpoint is not the log's: {error}; run `squads verify`") from error
    if checkpoint.size <= newest:
        raise LedgerBroken(
            f"the newest checkpoint covers {checkpoint.size} receipts, and receipt {newest} is not among them; "
            "run `squads verify`"
        )
    return checkpoint, row[0]
