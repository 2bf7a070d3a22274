"""Edges that one of their two ends has spoiled, so that whoever reads many edges goes on with all others.

A role may write its own two edges, so it can also put something else in their place, use up their ids, or delete them
over and over. That is its own loss; it must never become anybody else's.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from time import monotonic
from typing import TYPE_CHECKING, Final

from squads.adapters.redis_bus.failures import LinkUnavailable

if TYPE_CHECKING:
    from squads.adapters.redis_bus.bus import RedisBus
    from squads.adapters.redis_bus.names import Edge

log = logging.getLogger("squads.bus")
ASIDE_SECONDS: Final = 2.0
"""How long such an edge is left alone before somebody looks again."""
AGAIN_SECONDS: Final = 10.0
"""An edge that is lost twice within this time is left alone for a while: reading it would hold up all others."""
SPOILED: Final = frozenset({"wrongtype", "err"})
"""What the server says of a key that is something else than it was made to be, or of a stream without ids left."""
_LOST: Final = frozenset({"nogroup", "unblocked"})


class Aside:
    """The edges that a reader leaves alone now.

    Args:
        many: Whether there are others to go on with; where there is one edge alone, its trouble is the reader's.
    """

    def __init__(self, *, many: bool) -> None:
        self._many = many
        self._until: dict[str, float] = {}
        self._lost: dict[str, float] = {}

    def holds(self, edge: Edge) -> bool:
        """Say whether an edge is to be left alone for now."""
        return monotonic() < self._until.get(edge.key, 0.0)

    def means_loss(self, error: Exception) -> bool:
        """Say whether an edge was lost or spoiled, so that all are to be opened anew to find out which."""
        code = error.code if isinstance(error, LinkUnavailable) else ""
        return code in _LOST or (self._many and code == "wrongtype")

    async def tried(self, edge: Edge, bus: RedisBus) -> bytes | None:
        """Open an edge and return its origin; None where it is spoiled, and then it is left alone for a while."""
        try:
            return await bus.opened(edge, edge.recipient)
        except LinkUnavailable as error:
            if not self._many or error.code not in SPOILED:
                raise
            if edge.key not in self._until:
                log.error("%s is not read: whoever may write there has spoiled it; delete it: %s", edge.key, error)
            self._until[edge.key] = monotonic() + ASIDE_SECONDS
            return None

    def opened(self, edge: Edge, *, lost: bool) -> bool:
        """Note that an edge is there; say whether to read it now."""
        now = monotonic()
        if lost and self._many and now - self._lost.get(edge.key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            self._until[edge.key] = now + ASIDE_SECONDS
        else:
            self._until.pop(edge.key, None)
        if lost:
            self._lost[edge.key] = now
        return edge.key not in self._until


async def kept_going(edge: Edge, work: Awaitable[object]) -> bool:
    """Do something with what stands on an edge; False where the server cannot take what was to become of it.

    It stays where it is then, shown to nobody, and is tried again some day: it must not hold up what comes after it.
    """
    try:
        await work
    except LinkUnavailable as error:
        if error.code not in SPOILED:
            raise
        log.warning("what stands on %s stays there: %s", edge.key, error)
        return False
    return True
