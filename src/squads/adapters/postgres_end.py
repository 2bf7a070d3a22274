"""Where a log in PostgreSQL ends: read again from its rows, and held against what was signed and what was known.

It must never take a log for whole that is shorter than a checkpoint known outside, or another one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from squads.contracts.errors import LedgerBroken, RollbackDetected
from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf, leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.note import VerifierKey
from squads.ledger.sequence import Tail

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

Place = tuple[int, int]
"""Level and index of a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a log: all that is needed to go on."""

    tail: Tail = field(default_factory=Tail)
    note: str = ""
    """The newest checkpoint as it is stored."""
    checkpoint: Checkpoint | None = None


async def read_end(connection: Connection, name: str, log_key: VerifierKey, known: Checkpoint | None) -> End:
    """Return the log's end, checked, inside the caller's transaction. Raises `LedgerBroken`, `RollbackDetected`."""
    row = await connection.fetchrow(
        "SELECT head.next, head.note, (SELECT coalesce(max(seq) + 1, 0) FROM entry) AS size, newest.size AS signed, "
        "newest.note AS newest, last.leaf, last.leaf_hash FROM head "
        "LEFT JOIN (SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1) AS newest ON true "
        "LEFT JOIN (SELECT leaf, leaf_hash FROM entry ORDER BY seq DESC LIMIT 1) AS last ON true"
    )
    if row is None:
        raise LedgerBroken(f"{name} has lost its head row; run `squads verify`, and restore it from a copy")
    size: int = row["size"]
    # 1. The newest checkpoint covers the log, all of it, and the head row says so too.
    if (row["signed"] or 0) != size or row["next"] != size or row["note"] != (row["newest"] or ""):
        await _check_known(connection, name, size, known)
        raise LedgerBroken(
            f"{name} holds {size} receipts, but its newest checkpoint covers {row['signed'] or 0}, and its head stands "
            f"at {row['next']}; rows were added, removed or changed; run `squads verify`, and restore the ledger from "
            "a copy"
        )
    if not size:
        await _check_known(connection, name, 0, known)
        return End()
    # 2. The log's key signed it, and the rows have its root.
    try:
        signed = verify_checkpoint(row["newest"], log_key)
    except Malformed as error:
        raise LedgerBroken(f"{name}: the newest checkpoint is not this log's: {error}") from None
    edge = await edge_at(connection, name, size)
    try:
        newest = decode_leaf(row["leaf"])
    except Malformed as error:
        raise LedgerBroken(f"{name}: the newest receipt cannot be read: {error}; run `squads verify`") from None
    rooted = (signed.size, signed.root) == (size, edge.root())
    if not rooted or leaf_hash(row["leaf"]) != row["leaf_hash"] or newest.seq != size - 1:
        raise LedgerBroken(
            f"{name}: the receipts do not have the root that the newest checkpoint signed; run `squads verify` to see "
            "where, and restore the ledger from a copy"
        )
    # 3. It is not behind, or beside, what was known before.
    await _check_known(connection, name, size, known)
    tail = Tail(size=size, prev=row["leaf_hash"], time_ms=newest.time_ms, edge=edge)
    return End(tail=tail, note=row["newest"], checkpoint=signed)


async def edge_at(connection: Connection, name: str, size: int) -> Edge:
    """Return the tree's right edge over the first `size` receipts. Raises `LedgerBroken` where nodes are missing."""
    places: list[Place] = []

    def ask(level: int, index: int) -> bytes:
        places.append((level, index))
        return bytes(32)

    Edge.rebuild(size, ask)
    found = await nodes(connection, places)
    try:
        return Edge.rebuild(size, lambda level, index: found.get((level, index)))
    except Malformed as error:
        raise LedgerBroken(f"{name}: {error}; run `squads verify`") from None


async def nodes(connection: Connection, places: Collection[Place]) -> dict[Place, bytes]:
    """Return the tree's nodes at these places, as far as they are there; level 0 are the leaf hashes."""
    above = [place for place in places if place[0]]
    rows = await connection.fetch(
        "SELECT level::int, idx, hash FROM node JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, idx) "
        "USING (level, idx) UNION ALL SELECT 0, seq, leaf_hash FROM entry WHERE seq = ANY($3::bigint[])",
        [level for level, _ in above],
        [index for _, index in above],
        [index for level, index in places if not level],
    )
    return {(level, index): digest for level, index, digest in rows}


async def _check_known(connection: Connection, name: str, size: int, known: Checkpoint | None) -> None:
    if known is None:
        return
    if known.size > size:
        raise RollbackDetected(
            f"{name} ends after {size} receipts, but a checkpoint outside it covers {known.size}: an old copy was "
            "restored, or its tail was cut; find the newer copy; if there is none, keep this one as evidence and begin "
            "a new store"
        )
    if (await edge_at(connection, name, known.size)).root() != known.root:
        raise LedgerBroken(
            f"{name} is not the log whose first {known.size} receipts were signed before: it was rewritten or forked; "
            "keep both checkpoints as evidence, and restore the ledger from a copy"
        )
