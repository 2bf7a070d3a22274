"""Sends what a runner asks of roles: first what a request speaks of, then the request.

A role whose queue is full, or a server that is away, must hold up neither a packet's deadlines nor any other packet.
Where a bus can lose messages, all that is pending is sent again from time to time anyway: a send that does not come
through at once goes on in the background there, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from squads.contracts.errors import SquadsError, StorageUnavailable
from squads.contracts.messages import Envelope, Failed, ReviewRequest, RoleRequest, Signed
from squads.contracts.records import TreeHead
from squads.kernel.bus_ports import Bus
from squads.kernel.effects import Effect, Send
from squads.kernel.pending import pending
from squads.kernel.ports import Ledger
from squads.lane import Lane

log = logging.getLogger("squads.runner")
AT_ONCE_SECONDS: Final = 1.0
"""How long a packet waits for one request to be sent."""
BEHIND_SECONDS: Final = 60.0
"""How long one goes on in the background; what is pending is sent again more often than that."""
Offer = Callable[[RoleRequest], Awaitable[None]]


class Sending:
    """The requests of one runner on their way.

    Args:
        offer: Makes what a request speaks of readable where roles are hosted; None where they read the same store.
    """

    def __init__(self, bus: Bus, offer: Offer | None) -> None:
        self._bus = bus
        self._offer = offer
        self._under_way: dict[str, asyncio.Task[object]] = {}
        """By message id: never two at once."""

    async def send(self, envelope: Envelope) -> None:
        """Send a request, or have it sent. Raises what does not mend itself, where that is known at once."""
        if not self._bus.can_lose:
            await self._sent(envelope)
            return
        task = self._under_way.get(envelope.id)
        if task is None:
            task = self._under_way[envelope.id] = asyncio.create_task(self._behind(envelope))
            task.add_done_callback(lambda _: self._under_way.pop(envelope.id, None))
        done, _ = await asyncio.wait({task}, timeout=AT_ONCE_SECONDS)
        if done:
            task.result()
        else:
            task.add_done_callback(_heard)
            log.info("packet %s: %s is not asked yet; it will be", envelope.packet, envelope.recipient)

    async def close(self) -> None:
        """End what is under way: it is pending, and is sent again by whoever takes the packet up."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _behind(self, envelope: Envelope) -> None:
        try:
            async with asyncio.timeout(BEHIND_SECONDS):
                await self._sent(envelope)
        except (TimeoutError, StorageUnavailable) as error:
            log.info("packet %s: %s is asked later: %r", envelope.packet, envelope.recipient, error)

    async def _sent(self, envelope: Envelope) -> None:
        if self._offer is not None and not isinstance(envelope.body, (Signed, Failed)):
            await self._offer(envelope.body)
        await self._bus.send(envelope)


async def committing(lane: Lane, ledger: Ledger, request: RoleRequest) -> RoleRequest:
    """Return what a gate is asked with a recent head of the log, to which its verdict then commits.

    Whoever cuts or rewrites the log below that head contradicts what the gate has signed.
    """
    if not isinstance(request, ReviewRequest):
        return request
    head = lane.head or await ledger.head()
    return request.but(tree_head=TreeHead(size=head.size, root=head.root.hex()))


async def again(lanes: Sequence[Lane], act: Callable[[Lane, list[Effect]], Awaitable[None]]) -> None:
    """Send again what is pending of every packet; what fails for one is logged, and fails for no other."""

    async def one(lane: Lane) -> None:
        try:
            if lane.state is not None:
                await act(lane, [effect for effect in pending(lane.state) if isinstance(effect, Send)])
        except Exception as error:
            known = isinstance(error, SquadsError)
            log.info("packet %s: could not send again what is pending: %s", lane.packet, error, exc_info=not known)

    await asyncio.gather(*map(one, lanes))


def _heard(task: asyncio.Task[object]) -> None:
    """Nobody waits for it any more: what it raises is only told."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("a role could not be asked, and is asked again: %s", error)
