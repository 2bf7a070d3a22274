"""A look at a workspace: every packet that is shown is folded and verified again, and nothing is written.

It must never be stopped by one packet that cannot be read, nor take such a packet for a good one: it is listed as
unreadable, with the reason.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from squads.contracts.artifact import Artifact
from squads.contracts.errors import (
    BlobError,
    InvalidInput,
    KeyUnavailable,
    LedgerBroken,
    SquadsError,
    UnknownPacket,
)
from squads.contracts.plan import Statement
from squads.folding import fold
from squads.handover import Reader
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import receipt_of
from squads.kernel.state import PacketState
from squads.kernel.view import EVERYTHING, View
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.overview import (
    EndedPacket,
    ErasedPacket,
    OpenPacket,
    OpenQuestion,
    Overview,
    Person,
    StopInForce,
    Unreadable,
)
from squads.people import by_name
from squads.standing import Standing
from squads.workspace import Workspace

PREFIX_CHARS_MIN = 6
"""The shortest beginning of a packet's id or a digest that names it."""
LIMIT = 20
"""How many packets of a kind a look shows, unless it is told."""
LIMIT_MAX = 1_000
KNOWN_MAX = 10
"""How many open packets an error names."""
HEX = re.compile(r"[0-9a-f]+")


@dataclass
class _Index:
    """Which packets there are, by one quick pass over the log. Nothing here is verified: folding a packet does that."""

    open: dict[str, int | None] = field(default_factory=dict)
    """Oldest first: when the packet's question expires, None where none was asked."""
    ended: deque[str] = field(default_factory=deque)
    """The newest ends, oldest first."""
    ended_total: int = 0


class Survey:
    """Looks at one opened workspace."""

    def __init__(self, workspace: Workspace) -> None:
        """Use a workspace that somebody else opens and closes."""
        self.workspace = workspace
        self._reader = Reader(workspace.blobs)

    async def overview(self, *, limit: int = LIMIT) -> Overview:
        """Return how the workspace stands: at most `limit` open packets, and as many that ended last.

        Every packet that is shown was folded and verified; one that cannot be is listed as unreadable. Writes nothing.
        """
        if not 1 <= limit <= LIMIT_MAX:
            raise InvalidInput(f"a look shows between 1 and {LIMIT_MAX:,} packets of a kind, not {limit}")
        workspace = self.workspace
        view = await workspace.refresh()
        index = await self._index(limit)
        names = workspace.names() if view else {}
        stops = {stop.packet or EVERYTHING: stop for stop in await self.stops()}
        now_ms = workspace.clock.now_ms()
        standing = Standing(self._reader, names, now_ms)
        opened: list[OpenPacket] = []
        ended: list[EndedPacket] = []
        erased: list[ErasedPacket] = []
        unreadable: list[Unreadable] = []
        for packet in [*_in_order(index, now_ms)[:limit], *reversed(index.ended)]:
            if view is not None and packet in view.erased:
                erased.append(ErasedPacket(packet=packet, receipt=view.erased[packet]))
                continue
            try:
                state, _ = await fold(workspace, self._reader, packet)
                if state is None:
                    raise LedgerBroken("its receipts are not where the log says")
                if state.ended:
                    ended.append(await standing.ended(state))
                else:
                    opened.append(await standing.open(state, stops.get(EVERYTHING) or stops.get(packet)))
            except (SquadsError, ValueError) as error:
                unreadable.append(Unreadable(packet=packet, why=str(error)))
        return Overview(
            workspace=workspace.id,
            origin=workspace.trust.origin,
            now_ms=now_ms,
            receipts=(await workspace.ledger.head()).size,
            people=self._people(view, names) if view else (),
            roles=_roles(view) if view else (),
            stops=tuple(stops.values()),
            open=tuple(opened),
            open_total=len(index.open),
            ended=tuple(ended),
            ended_total=index.ended_total,
            erased=tuple(erased),
            unreadable=tuple(unreadable),
        )

    async def people(self) -> tuple[Person, ...]:
        """Return the people whose keys may answer, those with a known name first."""
        view = await self.workspace.refresh()
        return self._people(view, self.workspace.names()) if view else ()

    async def stops(self) -> tuple[StopInForce, ...]:
        """Return the stops that nobody has lifted, oldest first."""
        view = await self.workspace.refresh()
        if view is None or not view.stops:
            return ()
        names = self.workspace.names()
        since_ms: dict[str, int] = {}
        for stored in await self.workspace.ledger.read(WORKSPACE):
            receipt = receipt_of(stored.seq, stored.payload_type, stored.payload, (), stored.time_ms)
            if receipt.kind == "stop":
                since_ms[str(receipt.predicate.get("packet") or EVERYTHING)] = receipt.time_ms
        stops = []
        for scope, stop in view.stops.items():
            reason = None
            with suppress(BlobError, ValueError):
                reason = (await self._reader.document(stop.content, Statement)).text
            by = by_name([stop.author], names)[0]
            stops.append(StopInForce(packet=scope or None, by=by, reason=reason, since_ms=since_ms[scope]))
        return tuple(stops)

    async def question(self, packet: str) -> OpenQuestion:
        """Return what people are asked about a packet, named by its id or a unique beginning of it.

        Raises `InvalidInput` with why there is nothing to answer, `UnknownPacket`, or `LedgerBroken`.
        """
        return (await self._asking(packet))[1]

    async def composition(self, digest: str) -> Artifact:
        """Return what would compose, with all its bytes: what a person reads before they answer."""
        return await self._reader.artifact(digest)

    async def packet(self, beginning: str) -> str:
        """Return the id of the packet that `beginning` names. Raises `UnknownPacket` with the open ones."""
        if len(beginning) < PREFIX_CHARS_MIN or not HEX.fullmatch(beginning):
            raise InvalidInput(
                f"{beginning!r:.60} names no packet; give its id, or at least the first {PREFIX_CHARS_MIN} "
                f"of its hex digits. {await self._known()}"
            )
        found = [name for name in await self.workspace.ledger.streams() if name.startswith(beginning)]
        if len(found) > 1:
            raise InvalidInput(f"{beginning!r} begins {len(found)} ids: {', '.join(found[:5])}; give more of it")
        if not found:
            raise UnknownPacket(f"no packet {beginning} in this ledger. {await self._known()}")
        return found[0]

    # How the ledger is asked ------------------------------------------------------------------------------------------

    async def _asking(self, beginning: str) -> tuple[PacketState, OpenQuestion]:
        """Return a packet that waits for people, and the question. Raises `InvalidInput` where there is none."""
        packet = await self.packet(beginning)
        state, _ = await fold(self.workspace, self._reader, packet)
        if state is None:
            raise UnknownPacket(f"no packet {packet} in this ledger. {await self._known()}")
        if state.finish is not None:
            raise InvalidInput(f"packet {packet} has ended: {state.finish.reason}; there is nothing to answer")
        standing = Standing(self._reader, self.workspace.names(), self.workspace.clock.now_ms())
        question = await standing.question(state)
        if question is None:
            raise InvalidInput(
                f"packet {packet} has no open question: it is {state.phase.value}, and people are asked about a "
                "composition that every required gate has approved"
            )
        return state, question

    async def _known(self) -> str:
        index = await self._index(1)
        newest = list(reversed(index.open))[:KNOWN_MAX]
        more = f" and {len(index.open) - KNOWN_MAX} more" if len(index.open) > KNOWN_MAX else ""
        return f"Open packets: {', '.join(newest) or 'none'}{more}"

    async def _index(self, ended_max: int) -> _Index:
        index = _Index(ended=deque(maxlen=ended_max))
        async for seq, leaf, _ in self.workspace.ledger.scan():
            try:
                decoded = decode_leaf(leaf)
            except Malformed as error:
                raise LedgerBroken(f"receipt {seq} cannot be read: {error}; run `squads verify`") from error
            receipt = receipt_of(seq, decoded.payload_type, decoded.payload, (), decoded.time_ms)
            packet = str(receipt.predicate.get("packet") or EVERYTHING)
            match receipt.kind:
                case "opened":
                    index.open[packet] = None
                case "question" if packet in index.open:
                    expires_ms = receipt.predicate.get("expires_ms")
                    index.open[packet] = expires_ms if isinstance(expires_ms, int) else 0
                case "finish":
                    index.open.pop(packet, None)
                    index.ended.append(packet)
                    index.ended_total += 1
        return index

    def _people(self, view: View, names: dict[str, str]) -> tuple[Person, ...]:
        people = []
        for person in view.people():
            here = False
            with suppress(KeyUnavailable):  # a damaged key is one that cannot be signed with from here
                here = self.workspace.holds(f"human:{person}")
            people.append(Person(id=person, name=names.get(person), here=here))
        return tuple(sorted(people, key=lambda p: (p.name is None, p.shown)))


def _in_order(index: _Index, now_ms: int) -> list[str]:
    """Return the open packets, those first that a person could answer, by when they expire; then the newest."""
    answerable = [p for p, expires_ms in index.open.items() if expires_ms is not None and now_ms < expires_ms]
    answerable.sort(key=lambda p: index.open[p] or 0)
    first = set(answerable)
    return [*answerable, *(p for p in reversed(index.open) if p not in first)]


def _roles(view: View) -> tuple[str, ...]:
    held = {r for k in view.registry.keys.values() if k.holds_at(view.index) for r in k.roles}
    return tuple(sorted(role for role in held if not role.startswith("human:")))
