"""How long to wait before asking again: longer each time, and never in step with others who wait for the same server.

Source: exponential backoff with full jitter, M. Brooker, AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random
from typing import Final

from squads.adapters.redis_bus.failures import LinkUnavailable, passing
from squads.contracts.errors import BusError

_ENDS_BY_ITSELF: Final = frozenset({"oom", "misconf", "readonly"})
"""Besides what `passing` knows: states of a server that somebody mends while the work waits."""


class Backoff:
    """Pauses that grow to a bound, each by chance between nothing and what it may be.

    Args:
        first_seconds: The longest first pause.
        most_seconds: The longest pause of all.
    """

    __slots__ = ("_first", "_most", "_tries")

    def __init__(self, first_seconds: float, most_seconds: float) -> None:
        self._first = first_seconds
        self._most = most_seconds
        self._tries = 0

    def next(self) -> float:
        """Return the next pause, in seconds."""
        longest = min(self._most, self._first * 2 ** min(self._tries, 32))
        self._tries += 1
        return random.uniform(0, longest)  # noqa: S311 - no secret

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._tries = 0


def for_reconnecting() -> Backoff:
    """Return the pauses after which a lost server is asked again: up to 5 s."""
    return Backoff(0.25, 5.0)


def for_room() -> Backoff:
    """Return the pauses after which a full edge is asked again: up to 0.25 s."""
    return Backoff(0.01, 0.25)


def worth_waiting(error: BusError) -> bool:
    """Say whether the same may well be accepted later; a wrong password or a missing right will not."""
    return isinstance(error, LinkUnavailable) and (passing(error.code) or error.code in _ENDS_BY_ITSELF)
