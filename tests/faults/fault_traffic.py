"""What the faults' processes send each other, and the runner that sends it again until it is answered.

The runner keeps what it must not forget the way the real one does, outside of Redis: which request is answered, one
file each. Everything else it may lose, and asks for again under the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from bus_history import History

from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.seals import SharedSeals
from squads.contracts.errors import BusClosed, BusError, BusFull
from squads.contracts.messages import RUNNER, Envelope, Failed, PlanRequest
from squads.kernel.bus_ports import Delivery

PACKET = "ab" * 16
SHARED_KEY = sha256(b"the key of these tests").digest()
PRIOR = sha256(b"a prior").hexdigest()
SENDING_MAX = 32
SENDING_SECONDS = 20.0
"""Longer than any fault of the short tests lasts: there, a sender waits and does not have to be told."""


async def opened(config: dict[str, Any]) -> RedisBus:
    """Return a bus as a process's configuration says."""
    options = {
        name: config[name]
        for name in ("deliveries_max", "backlog_max", "heartbeat_seconds", "dead_after_seconds", "name")
        if name in config
    }
    made = RedisBus.open(config["url"], config["workspace"], SharedSeals(SHARED_KEY), **options)
    return await made if asyncio.iscoroutine(made) else made


def request(
    workspace: str, number: int | str, recipient: str, *instructions: str, prior: str | None = PRIOR
) -> Envelope:
    """Return a request; the same number for the same recipient is the same message."""
    about = sha256(f"{workspace} {number}".encode()).hexdigest()
    body = PlanRequest(
        packet=PACKET,
        workspace=workspace,
        content=about,
        due_ms=2**41,
        request=about,
        attempt=1,
        builders=instructions or ("work:1",),
        gates=(),
    )
    return Envelope.to_role(recipient, about, body, prior=prior)


def reply_of(envelope: Envelope, mark: str) -> Envelope:
    """Return an answer whose content says who made it, and when."""
    return envelope.reply(Failed(about=envelope.cause, reason="crashed", detail=mark))


def mark_of(envelope: Envelope) -> str:
    """Return what an answer's content says."""
    assert isinstance(envelope.body, Failed)
    return envelope.body.detail


class Runner:
    """Sends requests until they are accepted, takes answers, and sends again what a lossy server may have lost.

    Args:
        ledger: A folder that outlives the runner and that several share: a file per answered request.
        owns: How an id begins that is this runner's to take; answers to others are deferred. None takes all.
        passed: Told of every point that it comes by.
    """

    def __init__(
        self,
        bus: RedisBus,
        history: History,
        workspace: str,
        *,
        ledger: Path,
        owns: str | None = None,
        passed: Callable[[str, str], None] = lambda point, about: None,
    ) -> None:
        self.bus, self.history, self.workspace = bus, history, workspace
        self.sent: dict[str, Envelope] = {}
        self.answered: dict[str, str] = {}
        """The mark of each answer, by the request's id."""
        self.taking = True
        self._ledger, self._owns, self._passed = ledger, owns, passed
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(SENDING_MAX)
        self._closed = False
        ledger.mkdir(exist_ok=True)
        bus.declare(RUNNER)
        bus.on_loss = self._lost

    def start(self) -> None:
        """Begin to take answers."""
        self._spawn(self._collect())

    async def send(self, number: int | str, address: str, *instructions: str) -> Envelope:
        """Send a request of this number, and return when it was accepted."""
        name, _, prior = address.partition("@")
        envelope = request(self.workspace, number, name, *instructions, prior=PRIOR if prior else None)
        await self.send_envelope(envelope)
        return envelope

    async def send_envelope(self, envelope: Envelope) -> None:
        """Send until it is accepted, as often as the bus cannot say whether it was."""
        self.bus.declare(envelope.address)
        self.bus.declare(envelope.recipient)
        self.sent[envelope.id] = envelope
        if (self._ledger / envelope.id).exists():
            self.answered[envelope.id] = (self._ledger / envelope.id).read_text()
            return
        async with self._room:
            while not self._closed:
                self.history.say("send", envelope.id)
                try:
                    accepted = await self.bus.send(envelope, timeout=SENDING_SECONDS)
                except BusFull:
                    self.history.say("refused", envelope.id)
                except BusClosed:
                    return
                except BusError as error:
                    self.history.say("unknown", envelope.id, error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(0.05)
                else:
                    self.history.say("accepted" if accepted else "known", envelope.id)
                    return

    async def send_all(self, numbers: range, address: str, *instructions: str) -> None:
        """Send a range of requests at once, and return when all are accepted."""
        await asyncio.gather(*(self.send(number, address, *instructions) for number in numbers))

    async def send_again(self) -> None:
        """Send everything that is not answered once more, under the same ids."""
        pending = [envelope for about, envelope in self.sent.items() if about not in self.answered]
        await asyncio.gather(*map(self.send_envelope, pending))

    async def close(self) -> None:
        """Stop taking answers."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _lost(self, *_: object) -> None:
        self.history.say("lost")
        self._spawn(self.send_again())

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _collect(self) -> None:
        consumer = self.bus.consumer(RUNNER, slots=64)
        try:
            while True:
                try:
                    delivery = await consumer.receive()
                except BusClosed:
                    return
                except BusError as error:
                    self.history.say("trouble", error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(0.05)
                    continue
                self._spawn(self._take(delivery))
        finally:
            with suppress(BusError):
                await consumer.close()

    async def _take(self, delivery: Delivery) -> None:
        envelope = delivery.envelope
        about = envelope.cause
        with suppress(BusError):
            if self._owns is not None and not about.startswith(tuple(self._owns)):
                self.history.say("deferred", about)
                await asyncio.sleep(0.02)
                await delivery.defer()
                return
            self._passed("received", about)
            mark = mark_of(envelope)
            self.history.say("received", about, mark=mark, attempt=delivery.attempt)
            try:
                with (self._ledger / about).open("x") as file:
                    file.write(mark)
                self.history.say("taken", about)
            except FileExistsError:
                self.history.say("late", about)
            self.answered[about] = mark
            self._passed("taken", about)
            await delivery.ack()
            self.history.say("acked", about)
            self._passed("acked", about)
