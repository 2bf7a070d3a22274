"""One packet as a runner holds it in memory: its state, who waits for it, and what came in for it meanwhile.

Everything here can be thrown away at any time: the ledger has what counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from squads.contracts.artifact import Manifest
from squads.contracts.errors import InvalidSquad
from squads.contracts.records import CompositionRecord, PacketRecord, RoleRecord
from squads.kernel.bus_ports import Delivery
from squads.kernel.effects import Effect, Ignore
from squads.kernel.lifecycle import Phase
from squads.kernel.ports import Entry, Head, Lease, Signer
from squads.kernel.receipts import payload_of
from squads.kernel.replay import outputs
from squads.kernel.state import PacketState
from squads.signing import signed_entry

Listener = Callable[["PacketRecord | None"], None]
"""Hears every receipt of a packet once it is durable, and None when something else happened that a caller may wait
for: the packet ended, waits for people, was stopped, or failed."""


@dataclass(slots=True)
class Incoming:
    """One event on its way through a turn."""

    record: PacketRecord
    entry: Entry
    content: tuple[bytes, ...] = ()
    manifest: Manifest | None = None
    by_person: bool = False
    """What people say counts whoever holds the packet; everything else is handed in by its holder alone."""
    done: bool = False
    ignored: Ignore | None = None
    failure: Exception | None = None


@dataclass(slots=True)
class Batch:
    """What one append will hold: inputs with their outputs, in order, and what must be done once it is durable."""

    entries: list[Entry] = field(default_factory=list)
    content: list[bytes] = field(default_factory=list)
    happened: list[PacketRecord] = field(default_factory=list)
    todo: list[Effect] = field(default_factory=list)

    def add(self, item: Incoming, state: PacketState | None, effects: list[Effect], runner: Signer) -> None:
        """Take in an event that was stepped, with the outputs that the runner signs."""
        made = outputs(effects)
        self.entries += [item.entry, *(signed_entry(item.entry.stream, payload_of(output), runner) for output in made)]
        self.content += item.content
        for output in made:
            if isinstance(output, CompositionRecord) and state is not None:
                self.content.append(state.manifests[output.artifact].blob)
        self.happened += [item.record, *made]
        self.todo += effects


class Lane:
    """One packet as this runner holds it."""

    def __init__(self, packet: str) -> None:
        self.packet = packet
        self.state: PacketState | None = None
        self.length = 0
        self.head: Head | None = None
        """The log's head after the newest append that was made for it here."""
        self.lease: Lease | None = None
        """What this runner holds the packet by; None where it only follows what another one does."""
        self.held_by = ""
        """Who holds it instead, as far as this runner has seen."""
        self.asked_twice = False
        """True once its roles may have been asked twice: another runner took it over, or the bus lost what it knew."""
        self.lock = asyncio.Lock()
        self.waiting: list[Incoming] = []
        """Events that came in while another turn was being appended."""
        self.parked: list[Delivery] = []
        """Replies that came in while the packet was stopped, or that could not be recorded: not acknowledged yet, so
        that the bus has them still should this process die."""
        self.asked = ""
        """The question that the approver in this process is being asked now."""
        self.unanswered = False
        """True once the approver had nothing more to say: the packet waits for people elsewhere."""
        self.failure: Exception | None = None
        self.refusals_anchored = 0
        """How many of its refusals are known to stand in every anchor."""
        self.listeners: list[Listener] = []
        self.details: dict[str, str] = {}
        """What a role's host said of a request that it got no answer to; for people, it is not receipted."""

    @property
    def ended(self) -> bool:
        """True where nothing more happens: the packet has ended, or was never let in."""
        return self.state is None or self.state.ended

    @property
    def follows(self) -> bool:
        """True while the packet is open and this runner does not hold it."""
        return self.lease is None and not self.ended

    @property
    def concerns_others(self) -> bool:
        """True while somebody else may write to it: its holder, or people who are asked about it."""
        return self.follows or (self.state is not None and self.state.phase is Phase.ASKING and not self.ended)

    def was_answered(self, record: PacketRecord) -> bool:
        """Say whether the ticket or request that a role's record answers has an answer already."""
        about = getattr(record, "ticket", None) or getattr(record, "request", None)
        if self.state is None or about is None:
            return False
        asked = self.state.tickets.get(about) or self.state.jobs.get(about)
        return asked is not None and bool(asked.receipt)

    def asked_of(self, about: str) -> str:
        """Return the name of the role that a request or ticket was given to; empty for one that is not known."""
        if self.state is None:
            return ""
        ticket, job = self.state.tickets.get(about), self.state.jobs.get(about)
        return ticket.record.gate if ticket else job.record.role if job else ""

    def check_frozen(self, name: str, here: RoleRecord | None) -> None:
        """Raise `InvalidSquad` when the role of this name here is not the one that the packet was opened with."""
        if self.state is not None and here != (frozen := self.state.roles[name]):
            raise InvalidSquad(
                f"packet {self.packet} was opened with another {frozen.kind} {name!r} than this squad has"
                + (": its code, prior, model or settings differ" if here else "")
                + "; resume it with the squad it was opened with, or open a new packet"
            )

    def tell(self, happened: PacketRecord | None = None) -> None:
        """Let every listener know."""
        for listener in tuple(self.listeners):
            listener(happened)
