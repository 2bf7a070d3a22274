"""A worker hosts roles: it takes their requests off the bus, has them answered, signs, and replies.

Every reading starts fresh: a role gets one piece of work and nothing else. Whatever goes wrong inside a role becomes a
fault with a reason, and a fault never lets anything through.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import cast

from squads.attesting import signed
from squads.contracts.errors import (
    AllowanceSpent,
    BlobError,
    BusClosed,
    Denied,
    InvalidInput,
    InvalidReply,
    KeyUnavailable,
    LeaseLost,
    MessageTooLarge,
    ModelUnreachable,
    SquadsError,
    StorageUnavailable,
)
from squads.contracts.finding import Usage
from squads.contracts.messages import Envelope, Failed, RoleRequest, Signed, address_of
from squads.contracts.resolved import RoleRecord
from squads.contracts.verdict import Abstained
from squads.contracts.work import Reply
from squads.handover import Reader, UnusableReply, record_for, work_for
from squads.kernel.bus_ports import Bus, Consumer, Delivery
from squads.kernel.ports import Clock, Entropy, Role, Signer
from squads.minding import Minding
from squads.minds.families import models_in
from squads.minds.mind import BoundMind
from squads.telemetry import NO_TRACING, Answering, Tracing
from squads.thinking import left_to_a_model

log = logging.getLogger("squads.worker")
Permit = Callable[[str], Awaitable[None]]
PAUSE_SECONDS = 1.0
"""How long a request is kept whose content cannot be read now, before somebody else gets it."""
GIVE_BACK_SECONDS = 2.0
"""How long a worker that is closed tries to give a request back itself."""
AT_WORK: ContextVar[tuple[str, str]] = ContextVar("AT_WORK")
"""The packet and the role that the current task works for, so that every line of a log can say so."""


@dataclass(slots=True)
class Served:
    """What a worker has done so far, for operators."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Requests by (role, outcome): `answered`, a fault's reason, `late`, `released` or `deferred`."""
    answers: Counter[str] = field(default_factory=Counter)
    """Answers by role, faults included."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds that a role's answers took together."""

    @property
    def deferred(self) -> int:
        """How many requests were given back unanswered, for no fault of theirs."""
        return sum(count for (_, outcome), count in self.outcomes.items() if outcome == "deferred")


class _Unread(Exception):
    """The store with what a request speaks of could not be reached."""


class _GivenBack(Exception):
    """The worker drains, and this request was not begun."""


class Worker:
    """Serves roles until it is closed or drained.

    Args:
        roles: Each role by its name.
        signers: Each role's own signer, by name.
        slots: How many requests each role works on at once.
        records: What each role brings, by name: it is asked only what was asked of exactly that. None asks for nothing.
        minding: Gives each request a mind; None where no role thinks.
        permit: Awaited with the packet's id before a request is worked on; returns once the packet is not stopped.
        tracing: Told of every answer, for operators.
    """

    def __init__(
        self,
        bus: Bus,
        reader: Reader,
        roles: Mapping[str, Role],
        signers: Mapping[str, Signer],
        *,
        clock: Clock,
        entropy: Entropy,
        permit: Permit,
        slots: int = 64,
        records: Mapping[str, RoleRecord] | None = None,
        minding: Minding | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._bus = bus
        self._reader = reader
        self._roles = roles
        self._signers = signers
        self._clock = clock
        self._entropy = entropy
        self._permit = permit
        self._slots = slots
        self._records = records or {}
        self._minding = minding
        self._tracing = tracing
        self.served = Served()
        self._consumers: list[Consumer] = []
        self._draining = False
        self._serving: list[asyncio.Task[None]] = []
        self._working: set[asyncio.Task[None]] = set()
        self._thinking: dict[asyncio.Task[None], tuple[str, BoundMind]] = {}
        """What works on a request with a mind: its packet, and the mind."""
        self._hung_up: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        """What has a request in hand and no permit."""

    def start(self) -> None:
        """Begin to read. Messages that were sent before this wait for it."""
        for name, role in self._roles.items():
            record = self._records.get(name)
            address = address_of(name, record.digest if record else None)
            self._bus.declare(address)
            consumer = self._bus.consumer(address, slots=self._slots)
            self._consumers.append(consumer)
            self._serving.append(asyncio.create_task(self._serve(role, consumer)))

    async def drain(self, grace_seconds: float) -> int:
        """Stop reading, let roles finish what they are at, and close; return how many requests were given back.

        What is not begun is given back at once, and what is not finished after `grace_seconds`; neither counts as a
        try. What is given back is answered by another worker, or by this one when it is started again.
        """
        self._draining = True
        before = self.served.deferred
        await _ended(self._serving)
        begun = self._working - self._waiting
        await _ended(self._waiting)
        if begun:
            await asyncio.wait(begun, timeout=max(0.0, grace_seconds))
        await self.close()
        return self.served.deferred - before

    async def close(self) -> None:
        """Stop reading, cancel what is being worked on, and give those messages back."""
        await _ended([*self._serving, *self._working])
        self._serving.clear()
        consumers, self._consumers = self._consumers, []
        # Last: a consumer that is closed gives back also what is being worked on.
        for failed in await asyncio.gather(*(consumer.close() for consumer in consumers), return_exceptions=True):
            if isinstance(failed, BaseException) and not isinstance(failed, BusClosed):
                raise failed

    async def stopped_reading(self) -> None:
        """Return when some role's messages are read no more. Raises what ended that, but not `BusClosed`."""
        ended, _ = await asyncio.wait(self._serving, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()

    @property
    def reading(self) -> bool:
        """True while every role's messages are read."""
        return bool(self._serving) and not any(task.done() for task in self._serving)

    @property
    def in_hand(self) -> int:
        """How many requests it holds, those included that wait for a permit."""
        return len(self._working)

    @property
    def asks(self) -> bool:
        """True while a role waits for a model."""
        return any(mind.asking for _, mind in self._thinking.values())

    def let_go(self, stopped: Callable[[str], object]) -> bool:
        """Hang up on models that are asked for packets of which `stopped` is true; return whether there were any.

        Their requests wait for a permit and begin anew with it. What a role does by itself goes on, and its reply is
        parked: only what others are paid for is cut off.
        """
        asking = [task for task, (packet, mind) in self._thinking.items() if mind.asking and stopped(packet)]
        for task in asking:
            if task not in self._hung_up:  # once: what hangs up may have a tool server to end, and is left to it
                self._hung_up.add(task)
                task.cancel()
        return bool(asking)

    async def _serve(self, role: Role, consumer: Consumer) -> None:
        slots = asyncio.Semaphore(self._slots)
        with suppress(BusClosed):
            while True:
                await slots.acquire()
                delivery = await consumer.receive()
                task = asyncio.create_task(self._handle(role, delivery))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
                task.add_done_callback(lambda _: slots.release())

    async def _handle(self, role: Role, delivery: Delivery) -> None:
        envelope = delivery.envelope
        request = envelope.body
        if isinstance(request, (Signed, Failed)):
            await delivery.ack()  # a reply is never work
            return
        AT_WORK.set((envelope.packet, envelope.recipient))
        try:
            body = await self._served(role, envelope, request)
            try:
                sent = await delivery.reply(envelope.reply(body))
            except MessageTooLarge as error:
                failed = self._failed(envelope.cause, envelope.recipient, "undeliverable", error)
                sent = await delivery.reply(envelope.reply(failed))
            if not sent:
                self._count(envelope, "late")
                log.warning("%s answered too late: its request is in other hands by now", envelope.recipient)
                return
            self._count(envelope, body.reason if isinstance(body, Failed) else "answered")
        except (asyncio.CancelledError, _GivenBack) as ended:
            self._count(envelope, "deferred")
            # Nothing is wrong with the request: its worker was closed. Where the bus does not answer, closing the
            # consumer gives it back, or else that this worker is missed.
            with suppress(TimeoutError):
                async with asyncio.timeout(GIVE_BACK_SECONDS):
                    await delivery.defer()
            if isinstance(ended, asyncio.CancelledError):
                raise
        except BusClosed:
            return
        except LeaseLost as error:  # another runner holds the packet, and nobody waits for an answer here
            self._count(envelope, "late")
            log.info("%s is not asked any more: %s", envelope.recipient, error)
            await delivery.ack()
        except _Unread as error:  # nor is this its fault: no try of the message is used up
            self._count(envelope, "deferred")
            log.warning("%s cannot read what it is asked about: %s", envelope.recipient, error)
            await asyncio.sleep(PAUSE_SECONDS)
            await delivery.defer()
        except Exception as error:  # the bus or the permit failed, not the role: another delivery may fare better
            self._count(envelope, "released")
            log.warning("%s could not be served: %s: %s", envelope.recipient, type(error).__name__, error)
            await delivery.release(f"{type(error).__name__}: {error}")

    async def _served(self, role: Role, envelope: Envelope, request: RoleRequest) -> Signed | Failed:
        """Return the role's answer. Where a stop has hung up on its model, it begins anew once that is lifted.

        The delivery is kept meanwhile: giving it back would use up one of its tries, and nothing had gone wrong.
        """
        task = asyncio.current_task()
        while True:
            await self._permitted(envelope.packet)
            began = time.monotonic()
            try:
                with self._tracing.answer(envelope.recipient, envelope.cause, request) as span:
                    body = await self._answer(role, envelope.recipient, envelope.cause, request, span)
                    span.ended(body)
            except asyncio.CancelledError:
                if task not in self._hung_up or task is None or task.uncancel():
                    raise
                continue
            finally:
                self._hung_up.discard(cast("asyncio.Task[None]", task))
            name, seconds = envelope.recipient, self.served.seconds
            seconds[name] = seconds.get(name, 0.0) + time.monotonic() - began
            self.served.answers[name] += 1
            return body

    async def _permitted(self, packet: str) -> None:
        """Wait for the permit; a worker that drains begins nothing more."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        if self._draining:
            raise _GivenBack
        self._waiting.add(task)
        try:
            await self._permit(packet)
        finally:
            self._waiting.discard(task)

    def _count(self, envelope: Envelope, outcome: str) -> None:
        self.served.outcomes[envelope.recipient, outcome] += 1

    async def _answer(
        self, role: Role, name: str, about: str, request: RoleRequest, span: Answering
    ) -> Signed | Failed:
        """Return the role's signed answer, or what the runner should record instead of one."""
        mind = None if self._minding is None else self._minding.mind(name, about, request, span)
        counts = mind is not None and bool(left_to_a_model(role))

        def failed(reason: str, error: BaseException | str) -> Failed:
            # What a role with code of its own spent elsewhere is not known, and is settled in full.
            spent = mind.usage if mind is not None and (counts or mind.usage.calls) else None
            return self._failed(about, name, reason, error, usage=spent)

        task = asyncio.current_task()
        if mind is not None and task is not None:
            self._thinking[task] = request.packet, mind
            task.add_done_callback(lambda done: self._thinking.pop(done, None))
        timer = asyncio.timeout(max(0.0, (request.due_ms - self._clock.now_ms()) / 1000))
        try:
            async with timer:
                try:
                    work = await work_for(request, self._reader, role=name, entropy=self._entropy)
                except StorageUnavailable as error:
                    raise _Unread(str(error)) from error
                if mind is not None:
                    work = replace(work, mind=mind)
                try:
                    reply = await role.answer(work)
                finally:
                    if mind is not None:
                        await mind.end()  # before anybody counts what it spent
            answered_by = (mind and mind.answered_by) or _own_model(role, reply)
            record, content = await record_for(
                request,
                reply,
                self._reader,
                role=name,
                entropy=self._entropy,
                usage=None if mind is None else mind.usage,
                model=answered_by,
            )
        except asyncio.CancelledError as error:
            if task is not None and task.cancelling():
                raise
            return failed("cancelled", error)  # nobody cancelled the role: it let this out itself
        except TimeoutError as error:
            if not timer.expired():
                return failed("crashed", error)
            return failed("cancelled", "no answer before its deadline")
        except (UnusableReply, InvalidInput, InvalidReply) as error:
            return failed("unreadable", error)
        except _Unread:
            raise
        except BlobError as error:
            return failed("missing", error)
        except ModelUnreachable as error:
            return failed("unreachable", error)
        except AllowanceSpent as error:
            return failed("spent", error)
        except (Exception, SystemExit) as error:
            # A role is somebody else's code: anything it raises is its fault, and ours to record. `sys.exit(0)` in a
            # gate would otherwise end the program with the exit code of a composition.
            return failed("crashed", error)
        span.replied(reply, mind and mind.usage)
        try:
            return await signed(record, content, self._signers[name], self._reader)
        except StorageUnavailable as error:
            raise _Unread(str(error)) from error
        except (KeyUnavailable, Denied, BlobError) as error:
            return failed("unsigned", error)

    def _failed(
        self, about: str, name: str, reason: str, error: BaseException | str, *, usage: Usage | None = None
    ) -> Failed:
        # What a role's code raises may hold a key or a document's text: only its type leaves the debug log.
        ours = isinstance(error, (UnusableReply, SquadsError))
        detail = f"{type(error).__name__}: {error}"[:2_000] if ours else type(error).__name__
        if isinstance(error, str):
            detail = error
        detail = detail.encode(errors="replace").decode()  # models write halves of characters, and errors quote them
        log.warning("%s gave no usable answer (%s): %s", name, reason, detail)
        log.debug("what %s raised", name, exc_info=error if isinstance(error, BaseException) else None)
        return Failed.model_validate({"about": about, "reason": reason, "detail": detail, "usage": usage})


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _own_model(role: Role, reply: Reply) -> str | None:
    """Return the model of a role that thinks by itself: the one that it names. Of several, nobody knows which.

    A role that leaves its work to a model and asked none has answered as code.
    """
    named = () if left_to_a_model(role) else models_in(getattr(role, "model", None))
    return named[0] if len(named) == 1 and not isinstance(reply, Abstained) else None
