"""What lies in nobody's hands: taken from consumers that died, or delivered here without our hearing of it.

A consumer is dead only when its key was missing at every look for a whole `dead_after`, by the looker's own monotonic
clock. One look is not enough: a server's clock that jumps makes every key expire at once. A looker that could not look
for a while begins anew, for then it was perhaps everybody's trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from squads.adapters.redis_bus.aside import SPOILED
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.contracts.messages import RUNNER

if TYPE_CHECKING:
    from squads.adapters.redis_bus.lines import Argument
    from squads.adapters.redis_bus.link import Link
    from squads.adapters.redis_bus.names import Edge, Names

log = logging.getLogger("squads.bus")
PAGE: Final = 100
PAGES_MAX: Final = 10
"""How many pages of one dead consumer's entries are moved in one look; the rest waits for the next."""
OWNERS_MAX: Final = 1_000
"""How many consumers of one edge are looked at in one go."""
CRASHED: Final = "crashed its worker"
TTL_FACTOR: Final = 10
"""A heartbeat that stands for this many times `dead_after` is none: the server's clock was set back meanwhile."""


class Reclaimer:
    """Looks after the other consumers of one address.

    Args:
        group: The address. What a dead runner had in hand is not suspicious: it holds everything at once.
        dead_after_seconds: How long a key must be missing.
        deliveries_max: So many crashes alone make a dead letter.
    """

    def __init__(self, link: Link, names: Names, group: str, *, dead_after_seconds: float, deliveries_max: int) -> None:
        self._link = link
        self._names = names
        self._group = group
        self._dead_after = dead_after_seconds
        self._deliveries_max = deliveries_max
        self._missing: dict[str, float] = {}
        """Consumers without a heartbeat, and when that was first seen."""
        self._looked = 0.0

    def begin_anew(self) -> None:
        """Forget what was seen: the server could not be asked for a while, and neither could others beat."""
        self._missing.clear()

    async def look(self, edges: Sequence[Edge], ours: Collection[str], now: float) -> int:
        """Look once, at the time `now` of a monotonic clock; return how many entries wait again because of it."""
        if now - self._looked > self._dead_after:  # a look was missed: this process stood still, perhaps others did
            self.begin_anew()
        self._looked = now
        owners = await self._owners(edges, ours)
        standing = await self._standing(sorted({owner for found in owners for owner in found}))
        self._missing = {owner: self._missing.get(owner, now) for owner, alive in standing.items() if not alive}
        moved = 0
        for edge, found in zip(edges, owners, strict=True):
            for owner in found:
                if now - self._missing.get(owner, now) >= self._dead_after:
                    try:
                        moved += await self._reclaim(edge, owner)
                    except LinkUnavailable as error:  # what cannot be moved stays; others' work goes on
                        if error.code not in SPOILED:
                            raise
                        log.warning("what %s had on %s stays there: %s", owner, edge.key, error)
        return moved

    async def _owners(self, edges: Sequence[Edge], ours: Collection[str]) -> list[list[str]]:
        questions = [("XINFO", "CONSUMERS", key, self._group) for edge in edges for key in (edge.key, edge.lane)]
        answers = [_names_in(answer) for answer in await self._link.calls(questions)]
        both = zip(answers[::2], answers[1::2], strict=True)
        return [sorted({*a, *b}.difference(ours))[:OWNERS_MAX] for a, b in both]

    async def _standing(self, owners: Sequence[str]) -> dict[str, bool]:
        answers = await self._link.calls([("PTTL", self._names.heartbeat(owner)) for owner in owners])
        return {owner: 0 <= int(left) <= self._ttl_max_ms for owner, left in zip(owners, answers, strict=True)}

    @property
    def _ttl_max_ms(self) -> int:
        return int(self._dead_after * 1000 * TTL_FACTOR)

    async def _reclaim(self, edge: Edge, owner: str) -> int:
        keys = [edge.key, edge.lane, self._names.heartbeat(owner)]
        alone = 0 if self._group == RUNNER else 1
        args: list[Argument] = [
            self._group,
            owner,
            self._names.dead,
            self._ttl_max_ms,
            alone,
            self._deliveries_max,
            CRASHED,
            PAGE,
        ]
        moved = 0
        for _ in range(PAGES_MAX):
            said, taken, buried, more = await self._link.script("reclaim", keys, args)
            if said != b"dead":
                self._missing.pop(owner, None)
                break
            moved += int(taken)
            if taken or buried:
                log.warning("%s died with %d messages in hand; %d more are dead letters now", owner, taken, buried)
            if not more:
                break
        return moved


async def left(link: Link, edge: Edge, group: str, consumer: str) -> None:
    """Give back what a consumer that closes has in hand on an edge, and take its name off the list."""
    more = 1
    while more:
        _, more = await link.script("leave", edge.keys[:2], (group, consumer, PAGE))


def _names_in(answer: Any) -> list[str]:
    """Return the consumers' names in an answer to XINFO CONSUMERS; a name that is no text is left alone."""
    found = []
    for row in answer:
        fields = dict(zip(row[::2], row[1::2], strict=False))
        with suppress(KeyError, UnicodeDecodeError):
            found.append(bytes(fields[b"name"]).decode())
    return found
