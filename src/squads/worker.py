"""A worker hosts roles: it takes their requests off the bus, has them answered, signs, and replies.

Every reading starts fresh: a role gets one piece of work and nothing else. Whatever goes wrong inside a role becomes a
fault with a reason, and a fault never lets anything through.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from squads.contracts.errors import BlobError, BusClosed, InvalidInput, MessageTooLarge, SquadsError
from squads.contracts.messages import Failed, RoleRequest, Signed
from squads.handover import Reader, UnusableReply, record_for, work_for
from squads.kernel.ports import Bus, Clock, Consumer, Delivery, Entropy, Role, Signer
from squads.kernel.receipts import payload_of
from squads.ledger.statement import PAYLOAD_TYPE, pae

log = logging.getLogger("squads.worker")
Permit = Callable[[str], Awaitable[None]]


class Worker:
    """Serves roles until it is closed.

    Args:
        roles: Each role by its name.
        signers: Each role's own signer, by name.
        slots: How many requests each role works on at once.
        permit: Awaited with the packet's id before a request is worked on; returns once the packet is not stopped.
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
    ) -> None:
        self._bus = bus
        self._reader = reader
        self._roles = roles
        self._signers = signers
        self._clock = clock
        self._entropy = entropy
        self._permit = permit
        self._slots = slots
        self._serving: list[asyncio.Task[None]] = []
        self._working: set[asyncio.Task[None]] = set()

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
            await self._permit(envelope.packet)
            body = await self._answer(role, envelope.recipient, envelope.cause, request)
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

    async def _answer(self, role: Role, name: str, about: str, request: RoleRequest) -> Signed | Failed:
        """Return the role's signed answer, or what the runner should record instead of one."""
        timer = asyncio.timeout(max(0.0, (request.due_ms - self._clock.now_ms()) / 1000))
        try:
            async with timer:
                work = await work_for(request, self._reader, role=name, entropy=self._entropy)
                reply = await role.answer(work)
            record, content = await record_for(request, reply, self._reader, role=name, entropy=self._entropy)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return self._failed(about, name, "cancelled", error)  # nobody cancelled the role: it let this out itself
        except TimeoutError as error:
            if not timer.expired():
                return self._failed(about, name, "crashed", error)
            return Failed(about=about, reason="cancelled", detail="no answer before its deadline")
        except (UnusableReply, InvalidInput) as error:
            return self._failed(about, name, "unreadable", error)
        except BlobError as error:
            return self._failed(about, name, "missing", error)
        except (Exception, SystemExit) as error:
            # A role is somebody else's code: anything it raises is its fault, and ours to record. `sys.exit(0)` in a
            # gate would otherwise end the program with the exit code of a composition.
            return self._failed(about, name, "crashed", error)
        payload = payload_of(record)
        signer = self._signers[name]
        return Signed(
            payload=payload, key=signer.key_id, signature=signer.sign(pae(PAYLOAD_TYPE, payload)), content=content
        )

    def _failed(self, about: str, name: str, reason: str, error: BaseException) -> Failed:
        # What a role's code raises may hold a key or a document's text: only its type leaves the debug log.
        ours = isinstance(error, (UnusableReply, SquadsError))
        detail = f"{type(error).__name__}: {error}"[:2_000] if ours else type(error).__name__
        log.warning("%s gave no usable answer (%s): %s", name, reason, detail)
        log.debug("what %s raised", name, exc_info=error)
        return Failed.model_validate({"about": about, "reason": reason, "detail": detail})
