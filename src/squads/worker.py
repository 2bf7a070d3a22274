"""A worker hosts roles: it takes their requests off the bus, has them answered, signs, and replies.

Every reading starts fresh: a role gets one piece of work and nothing else. Whatever goes wrong inside a role becomes a
fault with a reason, and a fault never lets anything through.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import cast

from squads.contracts.errors import (
    AllowanceSpent,
    BlobError,
    BusClosed,
    InvalidInput,
    InvalidReply,
    MessageTooLarge,
    ModelUnreachable,
    SquadsError,
)
from squads.contracts.finding import Usage
from squads.contracts.messages import Envelope, Failed, RoleRequest, Signed
from squads.contracts.verdict import Abstained
from squads.contracts.work import Reply
from squads.handover import Reader, UnusableReply, record_for, work_for
from squads.kernel.ports import Bus, Clock, Consumer, Delivery, Entropy, Role, Signer
from squads.kernel.receipts import payload_of
from squads.ledger.statement import PAYLOAD_TYPE, pae
from squads.minding import Minding
from squads.minds.families import models_in
from squads.minds.mind import BoundMind
from squads.telemetry import NO_TRACING, Answering, Tracing
from squads.thinking import left_to_a_model

log = logging.getLogger("squads.worker")
Permit = Callable[[str], Awaitable[None]]


class Worker:
    """Serves roles until it is closed.

    Args:
        roles: Each role by its name.
        signers: Each role's own signer, by name.
        slots: How many requests each role works on at once.
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
        self._minding = minding
        self._tracing = tracing
        self._serving: list[asyncio.Task[None]] = []
        self._working: set[asyncio.Task[None]] = set()
        self._thinking: dict[asyncio.Task[None], tuple[str, BoundMind]] = {}
        """What works on a request with a mind: its packet, and the mind."""
        self._hung_up: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to read. Messages that were sent before this wait for it."""
        for name, role in self._roles.items():
            self._bus.declare(name)
            self._serving.append(asyncio.create_task(self._serve(role, self._bus.consumer(name))))

    async def close(self) -> None:
        """Stop reading, cancel what is being worked on, and give those messages back."""
        tasks = [*self._serving, *self._working]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._serving.clear()

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
        try:
            while True:
                await slots.acquire()
                delivery = await consumer.receive()
                task = asyncio.create_task(self._handle(role, delivery))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
                task.add_done_callback(lambda _: slots.release())
        except BusClosed:
            return
        finally:
            with suppress(BusClosed):
                await consumer.close()

    async def _handle(self, role: Role, delivery: Delivery) -> None:
        envelope = delivery.envelope
        request = envelope.body
        if isinstance(request, (Signed, Failed)):
            await delivery.ack()  # a reply is never work
            return
        try:
            body = await self._served(role, envelope, request)
            try:
                await self._bus.send(envelope.reply(body))
            except MessageTooLarge as error:
                failed = self._failed(envelope.cause, envelope.recipient, "undeliverable", error)
                await self._bus.send(envelope.reply(failed))
            await delivery.ack()
        except asyncio.CancelledError:
            await delivery.release("its worker was closed")
            raise
        except BusClosed:
            return
        except Exception as error:  # the bus or the permit failed, not the role: another delivery may fare better
            log.warning("%s could not be served: %s: %s", envelope.recipient, type(error).__name__, error)
            await delivery.release(f"{type(error).__name__}: {error}")

    async def _served(self, role: Role, envelope: Envelope, request: RoleRequest) -> Signed | Failed:
        """Return the role's answer. Where a stop has hung up on its model, it begins anew once that is lifted.

        The delivery is kept meanwhile: giving it back would use up one of its tries, and nothing had gone wrong.
        """
        task = asyncio.current_task()
        while True:
            await self._permit(envelope.packet)
            try:
                with self._tracing.answer(envelope.recipient, envelope.cause, request) as span:
                    body = await self._answer(role, envelope.recipient, envelope.cause, request, span)
                    span.ended(body)
                return body
            except asyncio.CancelledError:
                if task not in self._hung_up or task is None or task.uncancel():
                    raise
            finally:
                self._hung_up.discard(cast("asyncio.Task[None]", task))

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
                work = await work_for(request, self._reader, role=name, entropy=self._entropy)
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
        payload = payload_of(record)
        signer = self._signers[name]
        return Signed(
            payload=payload, key=signer.key_id, signature=signer.sign(pae(PAYLOAD_TYPE, payload)), content=content
        )

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


def _own_model(role: Role, reply: Reply) -> str | None:
    """Return the model of a role that thinks by itself: the one that it names. Of several, nobody knows which.

    A role that leaves its work to a model and asked none has answered as code.
    """
    named = () if left_to_a_model(role) else models_in(getattr(role, "model", None))
    return named[0] if len(named) == 1 and not isinstance(reply, Abstained) else None
