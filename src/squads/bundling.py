"""Making a bundle: the receipts that a stranger needs to check one packet, with their proofs, out of a ledger.

It only reads the log, and needs no private key, so that every store can be bundled. Nothing here is trusted
afterwards: a bundle is worth what `squads.ledger.offline` finds in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from squads.contracts.errors import BlobMissing, InvalidInput, KeyUnavailable, LedgerBroken, UnknownPacket
from squads.kernel.ports import WORKSPACE, Head, Proved, Stored
from squads.ledger.bundle import Anchored, Bundle, Included
from squads.ledger.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from squads.ledger.content import listed_in, named_by
from squads.ledger.errors import Malformed
from squads.ledger.shapes import check_shape
from squads.ledger.statement import parse_statement
from squads.ledger.trust import Trust
from squads.ledger.types import KINDS
from squads.moments import StillLedger, moment_of
from squads.outside import ask_anchors
from squads.stores import Place, StoreUrl, check_there, keys_of, placed, trust_in

BEGINNING_CHARS_MIN = 6
"""How much of a packet's id names it, where no other packet's begins alike."""
RUN_GAP_MAX = 64
"""Two receipts at most this far apart are read in one scan."""


class Contents(Protocol):
    """What of a `BlobStore` a bundle needs."""

    async def get(self, digest: str) -> bytes:
        """Return the content."""
        ...


class Readable(Protocol):
    """What of a `Ledger` a bundle needs."""

    @property
    def blobs(self) -> Contents:
        """The content that receipts name."""
        ...

    async def head(self) -> Head:
        """Return the newest checkpoint."""
        ...

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order."""
        ...

    def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash) in order."""
        ...

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs."""
        ...

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return a consistency proof."""
        ...


async def bundle_in(
    store: str | Path | StoreUrl, packet: str, *, content: bool = False, keys: Path | None = None
) -> tuple[Bundle, Trust]:
    """Return the bundle of a packet kept in `store`, and whom this machine trusts for it; nothing is written.

    A beginning of the packet's id is enough where it names only one. Only content needs keys, those that it is closed
    with.

    Raises what `bundle_of` raises, and `StorageUnavailable` where there is no ledger.
    """
    place = placed(store)
    trust = trust_in(place, keys)
    check_there(place)
    return await asyncio.to_thread(_bundled, place, trust, keys_of(trust, keys), packet, content=content), trust


def _bundled(place: Place, trust: Trust, own: Path, packet: str, *, content: bool) -> Bundle:
    """Return the bundle of a packet out of one moment of a store. Blocks."""
    notes = ask_anchors(own, trust.origin).notes  # before the ledger is read, as everything outside
    with moment_of(place, own) as moment:
        if content and not moment.readable:
            raise KeyUnavailable(
                f"the keys of the content of {moment.name} are not in {own}; set SQUADS_HOME to the directory that "
                "holds them, or leave --content out"
            )
        whole = _named(lambda start: moment.beginning(start, 2), packet)
        return asyncio.run(bundle_of(StillLedger(moment), trust, whole, content=content, notes=notes))


def _named(beginning: Callable[[str], list[str]], packet: str) -> str:
    if not re.fullmatch(rf"[0-9a-f]{{{BEGINNING_CHARS_MIN},32}}", packet):
        raise InvalidInput(
            f"{packet[:60]!r} is no packet's id: 32 hex digits, of which the first {BEGINNING_CHARS_MIN} or more may "
            "do; `squads status` prints it"
        )
    found = beginning(packet)
    if len(found) > 1:
        raise InvalidInput(f"several packets begin with {packet}; give more of the id")
    if not found:
        raise UnknownPacket(f"there is no packet {packet} in this ledger; `squads status` lists those that it has")
    return found[0]


async def bundle_of(
    ledger: Readable,
    trust: Trust,
    packet: str,
    *,
    content: bool = False,
    notes: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Bundle:
    """Return the bundle of a packet under the newest checkpoint.

    Args:
        ledger: Where the receipts are.
        trust: Of this ledger; only its origin is written into the bundle.
        packet: The packet's whole id.
        content: True brings what the receipts name: brief, plan, artifacts with their files, verdicts.
        notes: Checkpoints that are kept elsewhere, by the name of the place. Of each place the first one that covers
            the packet and the newest one come along, each with its proof.

    Raises:
        UnknownPacket: The ledger has no such packet.
        LedgerBroken: A receipt cannot be read.
        StorageUnavailable: The ledger cannot be reached.
        InvalidInput: The bundle would be over its bound.
    """
    # The checkpoint first: whatever is read afterwards holds at least what stands below it.
    head = await ledger.head()
    streams = [await ledger.read(WORKSPACE), await ledger.read(packet)]
    if not streams[1]:
        raise UnknownPacket(f"the ledger has no packet {packet}; `squads status` lists those that it has")
    indexes = sorted(stored.seq for stream in streams for stored in stream if stored.seq < head.size)
    proved = await ledger.prove(indexes, size=head.size)
    leaves = await _leaves(ledger, indexes)
    try:
        receipts = tuple(Included.of(leaves[seq], path) for seq, path in zip(indexes, proved.paths, strict=True))
        bundle = Bundle(
            origin=trust.origin,
            packet=packet,
            receipts=receipts,
            checkpoint=proved.head.checkpoint,
            anchored=await _anchored(ledger, trust, head, streams[1][-1].seq, notes),
            heads=await _heads(ledger, receipts, packet, head.size),
            content=await _content(ledger.blobs, receipts, packet) if content else {},
        )
        bundle.to_json()
    except KeyError as error:
        raise LedgerBroken(f"receipt {error} cannot be read; run `squads verify`") from error
    except Malformed as error:
        raise InvalidInput(f"packet {packet} cannot be bundled: {error}") from error
    return bundle


async def _leaves(ledger: Readable, indexes: Iterable[int]) -> dict[int, bytes]:
    """Return the leaves at these ascending indexes, read in as few scans as they have gaps."""
    wanted = list(indexes)
    runs: list[list[int]] = []
    for seq in wanted:
        if runs and seq - runs[-1][-1] <= RUN_GAP_MAX:
            runs[-1].append(seq)
        else:
            runs.append([seq])
    leaves: dict[int, bytes] = {}
    for run in runs:
        inside = set(run)
        async with aclosing(ledger.scan(start=run[0])) as rows:  # type: ignore[type-var]
            async for seq, leaf, _ in rows:
                if seq in inside:
                    leaves[seq] = leaf
                if seq >= run[-1]:
                    break
    return leaves


async def _anchored(
    ledger: Readable, trust: Trust, head: Head, last: int, notes: Mapping[str, Sequence[str]]
) -> tuple[Anchored, ...]:
    """Return the notes that are worth bringing: of each place the first that covers `last`, and the newest.

    A note that contradicts this log comes along as well, without a proof: whoever verifies shall see it.
    """
    found: dict[str, Anchored] = {}
    for kept in notes.values():
        genuine = sorted((checkpoint.size, note) for note in kept if (checkpoint := _genuine(note, trust)) is not None)
        covering = [pair for pair in genuine if pair[0] > last]
        contrary = [pair for pair in genuine if pair[0] == head.size and parse_checkpoint(pair[1]).root != head.root]
        for size, note in (*covering[:1], *genuine[-1:], *contrary):
            old, new = sorted((size, head.size))
            try:
                path = await ledger.consistency(old, new) if 0 < old < new else []
            except InvalidInput:  # it covers more than there is: the ledger is behind it
                path = []
            found.setdefault(note, Anchored(note=note, path=tuple(path)))
    return tuple(found.values())


async def _heads(
    ledger: Readable, receipts: Sequence[Included], packet: str, size: int
) -> dict[int, tuple[bytes, ...]]:
    """Return the proof for every log head that a verdict of the packet names."""
    heads: dict[int, tuple[bytes, ...]] = {}
    for kind, said in _said_of(receipts, packet):
        named = said["tree_head"] if kind == "verdict" else None
        if named is not None and 0 < named["size"] <= size and named["size"] not in heads:
            heads[named["size"]] = tuple(await ledger.consistency(named["size"], size))
    return heads


def _genuine(note: str, trust: Trust) -> Checkpoint | None:
    """Return the checkpoint that a note of this log is; None for junk, which anybody may have put there."""
    try:
        return verify_checkpoint(note, trust.log_key)
    except Malformed:
        return None


async def _content(blobs: Contents, receipts: Sequence[Included], packet: str) -> dict[str, bytes]:
    """Return what the packet's receipts name, as far as it is there; what was erased or lost is left out."""
    content: dict[str, bytes] = {}
    for kind, said in _said_of(receipts, packet):
        for digest in named_by(kind, said):
            await _add(blobs, digest, content)
            for listed in listed_in(content.get(digest, b"")):
                await _add(blobs, listed, content)
    return content


def _said_of(receipts: Sequence[Included], packet: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield kind and predicate of the packet's own receipts. Raises `Malformed`: the store's rows are not trusted."""
    for receipt in receipts:
        statement = parse_statement(receipt.leaf.payload)
        if KINDS[statement.kind].stream == "packet" and statement.predicate.get("packet") == packet:
            check_shape(statement.kind, statement.predicate)
            yield statement.kind, statement.predicate


async def _add(blobs: Contents, digest: str, content: dict[str, bytes]) -> None:
    if digest not in content:
        try:
            content[digest] = await blobs.get(digest)
        except BlobMissing:
            return
