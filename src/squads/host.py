"""A host serves roles over a bus, in a process of their own, until it is told to stop.

It has no ledger. Whom it may believe and what is stopped it learns from the roster, also where the workspace's own
keys are at hand, and it begins nothing without a fresh one. What its roles answer is signed here and sent back; what
they tell while they think is a hint that may be lost.

    async with worker_parts("redis://...", ...) as parts:          # squads.buses
        host = Host(parts, roles, records=records, signers=signers, book=book)
        await host.serve(stop, grace_seconds=30)                   # until `stop` is set; then it drains
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from squads.adapters.health_server import Page
from squads.adapters.keys import load
from squads.adapters.system import SystemClock, system_entropy
from squads.contracts.errors import BusClosed, KeyUnavailable
from squads.contracts.messages import address_of
from squads.contracts.records import RoleRecord
from squads.contracts.roster import LookAgain
from squads.contracts.thinking import Progress, UnsafeText
from squads.custody import remote
from squads.enrolment import WORKER_KEY
from squads.handover import Reader
from squads.kernel.bus_ports import Bus
from squads.kernel.model_ports import Journal, Model, Sandbox
from squads.kernel.ports import BlobStore, Clock, Entropy, Role, Signer
from squads.ledger.trust import Trust
from squads.minding import Minding
from squads.roster import LOOK_SECONDS, ReadRoster, RosterBook, RosterWatch
from squads.stores import keys_of
from squads.telemetry import NO_TRACING, Tracing
from squads.worker import Worker

log = logging.getLogger("squads.host")

READ_SECONDS_MAX: Final = 10.0
"""A host whose last successful read lies further back is not ready."""
PROGRESS_MAX: Final = 1_000
"""How much progress waits to be told; what comes on top is lost."""
GRACE_SECONDS: Final = 30.0
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Pulse(Protocol):
    """How the way to the bus is doing, for probes and numbers."""

    @property
    def since_read(self) -> float | None:
        """How long ago a read from the bus last succeeded, also one that found nothing; None where none did."""
        ...

    @property
    def beating(self) -> bool:
        """True while whatever says that this process lives is alive itself."""
        ...

    @property
    def dead_letters(self) -> int:
        """How many messages this process has seen become dead letters."""
        ...


class HintStream(Protocol):
    """Tells and hears what may be lost."""

    async def publish(self, hint: Progress | LookAgain, /) -> None:
        """Tell everybody who listens; never raises."""
        ...

    async def listen(self, callback: Callable[[Progress | LookAgain], object], /) -> None:
        """Hand every hint to `callback` until this is cancelled; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Steady:
    """The pulse of a bus in this process."""

    since_read: float | None = 0.0
    beating: bool = True
    dead_letters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostParts:
    """What a host needs of the world; `squads.buses` makes them from a bus's address."""

    bus: Bus
    blobs: BlobStore
    """Content that runner and workers share."""
    journal: Journal | Callable[[str], Journal]
    """Shared with other workers, and sealed, so that what one has paid for another does not pay again; or a function
    that returns it for a role's name."""
    read_roster: ReadRoster
    hints: HintStream | None = None
    pulse: Pulse = Steady()
    label: str = "in this process"
    """The bus's address, without a password."""
    signing: str = ""
    """How messages are signed here, `shared` or `own`; empty where they do not leave this process."""


class Host:
    """Serves roles until it is drained or closed.

    Args:
        roles: Each role by its name.
        records: What each role brings, by name; it is asked only what was asked of exactly that.
        signers: Each role's signer, by name. Its key must be in the roster with that role, or nothing begins.
        book: What this process believes of the roster.
        model: Asks models; None where no role has one.
        sandbox: Where commands of tools run; None runs none.
        slots: How many requests each role works on at once.
        look_seconds: How often the roster is looked at, when no hint comes.
        tracing: Told of every answer.
    """

    def __init__(
        self,
        parts: HostParts,
        roles: Mapping[str, Role],
        *,
        records: Mapping[str, RoleRecord],
        signers: Mapping[str, Signer],
        book: RosterBook,
        model: Model | None = None,
        sandbox: Sandbox | None = None,
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
        slots: int = 64,
        look_seconds: float = LOOK_SECONDS,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self.parts = parts
        self.book = book
        self.draining = False
        self._slots = slots * len(roles)
        self._records = {name: records[name] for name in roles}
        self._speakers = {name: (signers[name].key_id, f"{records[name].kind}:{name}") for name in roles}
        self._watch = RosterWatch(parts.read_roster, book, look_seconds=look_seconds, looked=self._looked)
        self._progress: asyncio.Queue[Progress] = asyncio.Queue(PROGRESS_MAX)
        self._change = asyncio.Event()
        self._told: dict[str, str | None] = {}
        """Reasons to wait that were logged and still hold, and the packet that each is about."""
        self._tasks: list[asyncio.Task[None]] = []
        self._worker = Worker(
            parts.bus,
            Reader(parts.blobs),
            roles,
            signers,
            clock=clock or SystemClock(),
            entropy=entropy,
            permit=self.permit,
            slots=slots,
            records=records,
            minding=Minding(
                model,
                records,
                journal=parts.journal,
                blobs=parts.blobs,
                sandbox=sandbox,
                watch=self._tell,
            ),
            tracing=tracing,
        )

    # From the beginning to the end --------------------------------------------------------------------------------

    async def serve(
        self,
        stop: asyncio.Event,
        *,
        grace_seconds: float = GRACE_SECONDS,
        ready: Callable[[], object] = lambda: None,
    ) -> int:
        """Serve until `stop` is set, then drain; return how many requests were given back unfinished.

        `ready` is called once the roles are being served. Raises `BusError` where the bus cannot be read any more.
        """
        stopping = asyncio.ensure_future(stop.wait())
        serving = asyncio.ensure_future(self._served(ready))
        try:
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            if serving.done() and not stop.is_set():
                await serving
                raise BusClosed("the bus was closed under this worker; start it again when the bus is there")
            return await self.drain(grace_seconds)
        finally:
            for task in (serving, stopping):
                task.cancel()
            await asyncio.gather(serving, stopping, return_exceptions=True)
            await self.close()

    async def _served(self, ready: Callable[[], object]) -> None:
        await self.start()
        ready()
        await self._worker.stopped_reading()

    async def start(self) -> None:
        """Wait until the roster is fresh and knows this worker's keys, then begin to read messages.

        Not before: what a runner says could not be believed without its key, and would be taken for forged.
        """
        await self._watch.look()
        self._tasks.append(asyncio.create_task(self._watch.run()))
        if self.parts.hints is not None:
            self._tasks += [
                asyncio.create_task(self.parts.hints.listen(self._heard)),
                asyncio.create_task(self._pump(self.parts.hints.publish)),
            ]
        await self._wait()
        self._worker.start()
        for name, record in self._records.items():
            # Another version of a role has another address, and waits for nothing that was asked of this one.
            log.info("serving %s", address_of(name, record.digest))

    async def drain(self, grace_seconds: float = GRACE_SECONDS) -> int:
        """Begin nothing more, finish what is under way, and give the rest back untried; return how much that was."""
        self.draining = True
        return await self._worker.drain(grace_seconds)

    async def close(self) -> None:
        """End everything; what was not finished is given back. Closing twice is no error."""
        self.draining = True
        await self._worker.close()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What may begin -----------------------------------------------------------------------------------------------

    async def permit(self, packet: str) -> None:
        """Return once work on a packet may begin: the roster is fresh, knows this worker, and stops nothing of it."""
        await self._wait(packet)

    def why_not(self, packet: str | None = None) -> str:
        """Return why nothing may begin now, or nothing of this packet; empty where it may."""
        if not self.book.fresh:
            return (
                self._watch.complaint or "the roster has gone stale: no newer one was published; is a runner running?"
            )
        here, there = self.parts.signing, self.book.signing
        if here and there and here != there:
            # Before a single message is read: each would be taken for forged, and be a dead letter.
            return (
                f"messages of this workspace are signed with {there} keys, and this worker was told {here}; "
                f"start it with --signing {there}"
            )
        for key, role in self._speakers.values():
            known = self.book.key_of(key)
            if known is None or role not in known[1]:
                return (
                    f"the key {key.hex()[:16]} of this worker is not registered as {role}; run `squads enroll` here, "
                    "and give its line to whoever holds the root key"
                )
        if packet is not None and self.book.stopped(packet):
            return f"packet {packet} is stopped"
        return ""

    async def _wait(self, packet: str | None = None) -> None:
        while reason := self.why_not(packet):
            if reason not in self._told:  # once, not for every request and every look
                self._told[reason] = packet
                if reason != self._watch.complaint:  # which has been told
                    log.warning("waiting: %s", reason)
            await self._change.wait()

    def _looked(self) -> None:
        """Who waits for a permit asks again, and models are hung up on for what is stopped by now."""
        change, self._change = self._change, asyncio.Event()
        change.set()
        self._told = {reason: packet for reason, packet in self._told.items() if self.why_not(packet) == reason}
        self._worker.let_go(self.book.stopped)

    # Hints --------------------------------------------------------------------------------------------------------

    def _heard(self, hint: Progress | LookAgain) -> None:
        if isinstance(hint, LookAgain):
            self._watch.look_now()

    def _tell(self, happened: Progress | UnsafeText) -> None:
        """Pass progress on; a model's text before a verdict never leaves this process."""
        if isinstance(happened, Progress) and self.parts.hints is not None:
            with suppress(asyncio.QueueFull):
                self._progress.put_nowait(happened)

    async def _pump(self, publish: Callable[[Progress], Awaitable[None]]) -> None:
        while True:
            await publish(await self._progress.get())

    # For probes ---------------------------------------------------------------------------------------------------

    @property
    def pages(self) -> Mapping[str, Callable[[], Page]]:
        """What a `HealthServer` serves of this host: `/live`, `/ready` and `/metrics`."""
        return {"/live": self._live, "/ready": self._ready, "/metrics": self._metrics}

    @property
    def answered(self) -> int:
        """How many requests were answered so far, faults included."""
        return sum(self._worker.served.answers.values())

    def unready(self) -> str:
        """Return why this host should not be counted on now; empty where it may."""
        if self.draining:
            return "draining"
        if reason := self.why_not():
            return reason
        age = self.parts.pulse.since_read
        if not self._worker.reading or age is None:
            return "not reading from the bus yet"
        if age >= READ_SECONDS_MAX:
            return f"the last successful read from the bus was {age:.0f} s ago"
        return ""

    def _live(self) -> Page:
        # That this is answered shows that the event loop turns.
        return Page() if self.parts.pulse.beating else Page(status=503, text="the heartbeat has stopped\n")

    def _ready(self) -> Page:
        reason = self.unready()
        return Page(status=503, text=f"{reason}\n") if reason else Page()

    def _metrics(self) -> Page:
        served, pulse = self._worker.served, self.parts.pulse
        late = sum(count for (_, outcome), count in served.outcomes.items() if outcome == "late")
        lines: list[str] = []

        def add(name: str, kind: str, words: str, samples: Iterable[tuple[str, float | None]]) -> None:
            lines.extend((f"# HELP {name} {words}", f"# TYPE {name} {kind}"))
            lines.extend(f"{name}{labels} {value}" for labels, value in samples if value is not None)

        outcomes = [(_labels(role=r, outcome=o), n) for (r, o), n in sorted(served.outcomes.items())]
        seconds = [(f"_sum{_labels(role=r)}", n) for r, n in sorted(served.seconds.items())]
        counts = [(f"_count{_labels(role=r)}", n) for r, n in sorted(served.answers.items())]
        add("squads_requests_total", "counter", "Requests by role and outcome.", outcomes)
        add("squads_in_hand", "gauge", "Requests in hand, waiting for a permit included.", [("", self._worker.in_hand)])
        add("squads_slots", "gauge", "Requests that all roles can have in hand.", [("", self._slots)])
        add("squads_answer_seconds", "summary", "How long answers took, faults included.", [*seconds, *counts])
        add("squads_roster_age_seconds", "gauge", "Since a newer roster was seen.", [("", self.book.age_seconds)])
        add("squads_roster_fresh", "gauge", "1 while work may begin.", [("", int(self.book.fresh))])
        add("squads_read_age_seconds", "gauge", "Since the bus was last read.", [("", pulse.since_read)])
        add("squads_dead_letters_total", "counter", "Messages seen to become dead letters.", [("", pulse.dead_letters)])
        add("squads_late_replies_total", "counter", "Replies whose request was in other hands.", [("", late)])
        return Page(text="\n".join(lines) + "\n", media_type=METRICS_TYPE)


def shared_signers(trust: Trust, roles: Mapping[str, str], keys: Path | None = None) -> dict[str, Signer]:
    """Return the workspace's own signers of roles, by name: its key files, or the daemons it names; none is ever made.

    `roles` gives each role's kind by name. Raises `KeyUnavailable` with what to do.
    """
    home = keys_of(trust, keys)
    signers: dict[str, Signer] = {}
    for name, kind in roles.items():
        if (kept := remote(home, f"{kind}:{name}")) is not None:
            signers[name] = kept
            continue
        path = home / f"{kind}-{name}.key"
        if not path.exists():
            raise KeyUnavailable(
                f"there is no key for {kind}:{name} in {home}: open the workspace with this role once where its "
                f"ledger is, or give this worker keys of its own (--signing own, {WORKER_KEY})"
            )
        signers[name] = load(path)
    return signers


def _labels(**labels: str) -> str:
    # Names of roles and words of ours: nothing in them needs to be escaped, and nothing else is let in.
    return "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
