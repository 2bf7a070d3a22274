"""Erasing what is kept about somebody: receipt before deed, then keys, content and journalled steps go for good.

The receipts stay, and everything that was signed and anchored stays valid: they hold digests over salted documents,
opaque ids and numbers. It must never erase anything of a packet that is open, nor without a receipt that says who did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from squads.contracts.artifact import Manifest
from squads.contracts.base import Contract, Id
from squads.contracts.errors import BlobError, InvalidInput, KeyUnavailable, LedgerBroken, UnknownPacket
from squads.contracts.records import ErasureRecord
from squads.kept import named_in
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import Receipt, receipt_of
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.survey import HEX, PREFIX_CHARS_MIN
from squads.workspace import Workspace

PACKETS_MAX = 500
"""How many packets one receipt names; more take several."""
_PERSONAL = ("answer", "waiver", "stop", "lift")
"""The kinds whose content is what their author wrote."""


class Erasable(Contract):
    """What is kept about one subject, and would go."""

    subject: str
    """Its opaque id: how receipts call it."""
    packets: tuple[Id, ...]
    """The packets that belong to it, oldest first."""
    open: tuple[Id, ...]
    """Open packets that belong to it, or in which it said something: while there are any, nothing is erased."""
    receipts: int
    """How many receipts stay that are about it."""
    words: int
    """How many statements it wrote: reasons of answers, waivers, stops and lifts."""
    erased: int | None
    """The index of the receipt that says that it was erased; None for one that was not."""
    speaks: bool = False
    """True for a person whose key counts: what they say still counts, and their words are not kept."""


class Erased(Contract):
    """What went."""

    subject: str
    packets: tuple[Id, ...]
    receipts: tuple[int, ...]
    """The receipts that say so, by their index; those of an earlier erasure where nothing was left to say."""
    contents: int
    """How many contents went now."""
    unshared: int = 0
    """How much of it went from a bus's server."""


async def look(workspace: Workspace, subject: str) -> Erasable:
    """Return what is kept about a subject: a packet by its id, a person or a name that packets were given, or their id.

    Raises `InvalidInput` for one of whom nothing was ever kept here, `UnknownPacket` for a packet that is not there.
    """
    return (await _survey(workspace, subject))[0]


@dataclass(slots=True)
class Shared:
    """What of the erased packets may lie on a bus's server as well."""

    digests: set[str] = field(default_factory=set)
    """Content that nobody else's packets have."""
    requests: set[tuple[str, str]] = field(default_factory=set)
    """(role, id of a request or ticket) whose paid replies may be there."""


Unsharing = Callable[[Shared], Awaitable[int]]
"""Removes what is shared from where it is, and returns how much there was; see `squads.unsharing`."""


async def erase(workspace: Workspace, subject: str, *, person: str, unshare: Unsharing | None = None) -> Erased:
    """Erase everything that is kept about a subject, signed by a person whose key is here. Twice is no error.

    In this order, so that a crash in between is finished by the next try: the receipts that say so; what people wrote
    about its packets; its key, its content and what was paid for in its packets.

    Args:
        workspace: Opened, with its keys.
        subject: A packet by its id, a person or a name that packets were given, or the opaque id of one.
        person: Who decides it.
        unshare: Removes what a bus's server has of it, last of all. Without it that expires there.

    Raises:
        InvalidInput: Nothing of it was ever kept, or a packet of it is open.
        KeyUnavailable: The person's key is not here.
        Denied: The rules do not let this person erase.
        StorageUnavailable: The key is destroyed, and something could not be removed yet: do it again. What could not
            be removed from a bus's server expires there.
    """
    found, kept = await _survey(workspace, subject)
    author = workspace.person(person)
    if not workspace.holds(f"human:{author}"):
        raise KeyUnavailable(
            f"the key of {person} is not on this machine, and only a person erases; `squads people` shows who can"
        )
    if found.open:
        shown = ", ".join(packet[:12] for packet in found.open[:5])
        more = f" and {len(found.open) - 5} more" if len(found.open) > 5 else ""
        raise InvalidInput(
            f"{found.subject} has open packets ({shown}{more}), and what they work on is not erased under them; "
            "finish or stop each with `squads resume`, `squads deny` or its deadline, then erase"
        )
    erased = workspace.view.erased
    fresh = [packet for packet in found.packets if packet not in erased]
    if fresh or found.subject not in erased:
        for start in range(0, max(1, len(fresh)), PACKETS_MAX):
            record = ErasureRecord(
                workspace=workspace.id,
                subject=found.subject,
                packets=tuple(fresh[start : start + PACKETS_MAX]),
                author=author,
            )
            await workspace.declare(record, f"human:{author}")
    later = [name for name, owner in (await workspace.ledger.subjects()).items() if owner == found.subject]
    if begun := sorted(set(later) - set(found.packets)):
        raise InvalidInput(
            f"packet {begun[0]} was opened for {found.subject} meanwhile: what it works on is not erased under it; the "
            "receipt stands, so erase again once it has ended"
        )
    if unshare is not None:  # while manifests can still be read
        for digest in tuple(kept.artifacts):
            kept.shared.digests |= await _files_of(workspace, digest)
    contents = 0
    for digest in kept.words:
        contents += await workspace.blobs.erase(digest)
    contents += await workspace.ledger.erase(found.subject)
    unshared = 0
    if unshare is not None:
        # What another packet has too is on the server for that one.
        kept.shared.digests = {d for d in kept.shared.digests if not await workspace.blobs.has(d)}
        unshared = await unshare(kept.shared)
    after = workspace.view.erased
    said = {after[name] for name in (found.subject, *found.packets) if name in after}
    return Erased(
        subject=found.subject, packets=found.packets, receipts=tuple(sorted(said)), contents=contents, unshared=unshared
    )


@dataclass(slots=True)
class _Kept:
    """What of a subject's packets has to be found before it is gone."""

    words: list[str] = field(default_factory=list)
    """What people wrote about its packets, by digest."""
    artifacts: list[str] = field(default_factory=list)
    """The manifests of its packets, by digest."""
    shared: Shared = field(default_factory=Shared)

    def take(self, receipt: Receipt) -> None:
        """Note what one receipt of its packets names."""
        said = receipt.predicate
        named = set(named_in(said))
        self.shared.digests |= named
        if receipt.kind in _PERSONAL:
            self.words += named
        if receipt.kind in ("artifact", "composition"):
            self.artifacts += named
        if receipt.kind in ("assignment", "ticket"):
            about, role = said.get("request") or said.get("ticket"), said.get("role") or said.get("gate")
            self.shared.requests.add((str(role), str(about)))


async def _survey(workspace: Workspace, subject: str) -> tuple[Erasable, _Kept]:
    """Read the whole log once: what a person said stands in anybody's packets."""
    await workspace.found(())
    owners = await workspace.ledger.subjects()
    name = _resolved(workspace, subject, owners)
    packets = tuple(stream for stream, owner in owners.items() if name == owner)
    own, concerned, ended = frozenset(packets), set(packets), set[str]()
    receipts = said = 0
    kept, elsewhere = _Kept(), set[str]()
    async for seq, leaf, _ in workspace.ledger.scan():
        receipt = _read(seq, leaf)
        packet = receipt.predicate.get("packet")
        if receipt.kind == "finish":
            ended.add(str(packet))
        content = receipt.predicate.get("content") if receipt.kind in _PERSONAL else None
        mine = content is not None and receipt.predicate.get("author") == name
        said += mine
        receipts += mine or packet in own
        if packet in own:
            kept.take(receipt)
        elif receipt.kind in _PERSONAL:
            elsewhere.update(named_in(receipt.predicate))
        if mine and receipt.kind in ("answer", "waiver"):  # what roles are still told of
            concerned.add(str(packet))
    # Whoever has seen a statement can sign an answer that names it again: it stays for the receipts of others.
    kept.words = [digest for digest in kept.words if digest not in elsewhere]
    found = Erasable(
        subject=name,
        packets=packets,
        open=tuple(stream for stream in owners if stream in concerned and stream not in ended),
        receipts=receipts,
        words=said,
        erased=workspace.view.erased.get(name),
        speaks=name in workspace.view.people(),
    )
    return found, kept


def _resolved(workspace: Workspace, subject: str, owners: Mapping[str, str]) -> str:
    """Return the opaque id of whom somebody means."""
    known = {*owners.values(), *workspace.view.erased, *workspace.view.people()} - {""}
    if subject in known:
        return subject
    if (person := workspace.person(subject)) in known:
        return person
    if HEX.fullmatch(subject) and len(subject) >= PREFIX_CHARS_MIN:
        begun = [stream for stream in owners if stream != WORKSPACE and stream.startswith(subject)]
        if len(begun) > 1:
            raise InvalidInput(f"{subject!r} begins {len(begun)} packets: {', '.join(begun[:5])}; give more of the id")
        if not begun:
            raise UnknownPacket(f"no packet {subject} in this ledger, and nothing is kept under that name")
        packet = begun[0]
        shared = [stream for stream, owner in owners.items() if owner == owners[packet]]
        if len(shared) > 1:
            raise InvalidInput(
                f"packet {packet} belongs to {owners[packet]} together with {len(shared) - 1} others, under one key: "
                "it cannot be erased alone; give the name or that id to erase all of them"
            )
        return owners[packet]
    raise InvalidInput(
        f"nothing is kept about {subject!r:.80} in this workspace; give a packet's id, a person's name, or the name "
        "that packets were given with --subject"
    )


async def _files_of(workspace: Workspace, digest: str) -> set[str]:
    """Return the files that a manifest lists; none where it was erased before."""
    try:
        return {entry.digest for entry in Manifest.parse(await workspace.blobs.get(digest)).files}
    except (BlobError, ValueError):
        return set()


def _read(seq: int, leaf: bytes) -> Receipt:
    try:
        said = decode_leaf(leaf)
    except Malformed as error:
        raise LedgerBroken(f"receipt {seq} cannot be read: {error}; run `squads verify`") from error
    return receipt_of(seq, said.payload_type, said.payload, (), said.time_ms)
