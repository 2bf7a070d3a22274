"""One packet at one moment of a kept ledger: its receipts, their signers, its content, and the checkpoint above them.

It needs no private key, only those that content is closed with, and writes nothing. Every signature is checked and the
rules are replayed before anything is shown; what was erased is reported as erased. A receipt that is no longer what was
signed gives no page at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from squads.adapters.ledger_rows import stored_of
from squads.contracts.artifact import Manifest
from squads.contracts.errors import BlobBroken, InvalidInput, LedgerBroken, SquadsError, UnknownPacket
from squads.contracts.finding import Usage
from squads.contracts.outcome import RoleSpend
from squads.kept import Keeping
from squads.kernel.ports import WORKSPACE, Stored
from squads.kernel.receipts import Receipt
from squads.kernel.replay import Diverged, Replay
from squads.kernel.view import Stop
from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.trust import Trust
from squads.moments import Moment, moment_of
from squads.outcomes import spent_by_role
from squads.signing import read_verified
from squads.stores import StoreUrl, check_there, keys_of, placed, trust_in

BEGINNING_CHARS_MIN = 4
"""How much of a packet's id names it, where no other packet's begins alike."""


class Contents:
    """Content by digest. What is not there, or is not what its digest says, is None and is remembered.

    What is not there was erased where a receipt says so, and is lost where none does.
    """

    def __init__(self, whole: Moment) -> None:
        self._whole = whole
        self.missing: set[str] = set()
        self.changed: set[str] = set()
        self.erased: frozenset[str] = frozenset()
        self.lost: frozenset[str] = frozenset()

    @property
    def gone(self) -> str:
        """What stands in place of content that is not there."""
        if not self.lost:
            return "content erased"
        return "content erased or lost" if self.erased else "content lost"

    def get(self, digest: str) -> bytes | None:
        """Return the content under a digest, re-hashed, or None."""
        try:
            found = self._whole.content(digest)
        except BlobBroken:
            self.changed.add(digest)
            return None
        if found is None:
            self.missing.add(digest)
        return found

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
class PacketMoment:
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
def packet_in(store: str | Path | StoreUrl, packet: str, *, keys: Path | None = None) -> Iterator[PacketMoment]:
    """Yield one packet of the ledger in `store`; a beginning of its id is enough where it names only one.

    `keys` is where this machine keeps keys (`keys_home()` when None). Raises `UnknownPacket`, and `LedgerError` for
    what is no ledger or does not agree with itself.
    """
    place = placed(store)
    trust = trust_in(place, keys)
    check_there(place)
    with moment_of(place, keys_of(trust, keys)) as whole:
        yield _moment(whole, str(place), trust, _named(whole, packet))


def _named(whole: Moment, packet: str) -> str:
    """Return the whole id of the packet that is meant."""
    if not re.fullmatch(rf"[0-9a-f]{{{BEGINNING_CHARS_MIN},32}}", packet):
        raise InvalidInput(
            f"{packet[:60]!r} is no packet's id: 32 hex digits, of which the first {BEGINNING_CHARS_MIN} or more may "
            "do; `squads gate` prints it"
        )
    found = whole.beginning(packet, 2)
    if not found:
        raise UnknownPacket(f"there is no packet {packet} in this ledger; `squads gate` prints the ids of its packets")
    if len(found) > 1:
        raise InvalidInput(f"several packets begin with {packet}; give more of the id")
    return found[0]


def _moment(whole: Moment, store: str, trust: Trust, packet: str) -> PacketMoment:
    contents, keeping = Contents(whole), Keeping(whole.content)
    replay = Replay(contents.manifest, keep={packet})
    receipts: list[Receipt] = []
    signers: dict[int, tuple[str, ...]] = {}
    stuck = False
    for stored in _stored(whole, packet):
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
        keeping.feed(receipt)
        if own and stuck:
            continue
        try:
            replay.feed(receipt)
        except Diverged as error:
            stuck = _excused(error, contents)
    if not stuck:
        try:
            replay.close()
        except Diverged as error:
            stuck = _excused(error, contents)
    contents.erased, contents.lost = frozenset(keeping.gone), frozenset(keeping.lost)
    unreplayed = "the manifest of an artifact is lost, and without it the rules cannot be replayed" if stuck else ""
    if replay.view is not None and packet in replay.view.erased:
        unreplayed = f"its content was erased, as receipt {replay.view.erased[packet]} says"
    if replay.view is None or not receipts:
        raise LedgerBroken(f"packet {packet} has no receipt; run `squads verify {store}`")
    state = None if unreplayed else replay.packets.get(packet)
    checkpoint, note = _checkpoint(whole, trust, receipts[-1].seq)
    return PacketMoment(
        packet=packet,
        origin=trust.origin,
        store=store,
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


def _excused(error: SquadsError, contents: Contents) -> bool:
    """Return True where content that is not there explains why the replay ended early; raise where it does not."""
    if contents.missing:
        return True
    raise error


def _stored(whole: Moment, packet: str) -> Iterator[Stored]:
    for name, leaf, leaf_hash in whole.of((WORKSPACE, packet)):
        yield stored_of(name, leaf, leaf_hash)


def _checkpoint(whole: Moment, trust: Trust, newest: int) -> tuple[Checkpoint, str]:
    note = whole.newest_checkpoint()
    if note is None:
        raise LedgerBroken("this ledger has no checkpoint; restore it from a copy that verifies")
    try:
        checkpoint = verify_checkpoint(note, trust.log_key)
    except Malformed as error:
        raise LedgerBroken(f"the newest checkpoint is not the log's: {error}; run `squads verify`") from error
    if checkpoint.size <= newest:
        raise LedgerBroken(
            f"the newest checkpoint covers {checkpoint.size} receipts, and receipt {newest} is not among them; "
            "run `squads verify`"
        )
    return checkpoint, note
