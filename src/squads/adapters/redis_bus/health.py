"""Whether the server answers, and since when not: for readiness, for `status`, and for one line in the log."""

from __future__ import annotations

import logging
from time import monotonic

from squads.contracts.errors import SquadsError

log = logging.getLogger("squads.bus")
RECENT_SECONDS = 10.0
SAID_MAX = 20
"""How many different sentences are logged of one outage."""


class Health:
    """What the last answers of a server were."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        """What went wrong when the server was last asked; None while it answers."""
        self.buried = 0
        """How many messages became dead letters in this process's hands."""
        self._heard_at: float | None = None
        self._said: set[str] = set()

    @property
    def since_read(self) -> float | None:
        """Seconds since the server last answered a consumer; None before the first time."""
        return None if self._heard_at is None else monotonic() - self._heard_at

    @property
    def recent(self) -> bool:
        """Whether that was within the last 10 s."""
        return self._heard_at is not None and monotonic() - self._heard_at < RECENT_SECONDS

    def heard(self) -> None:
        """Note that the server answered a consumer."""
        self._heard_at = monotonic()
        if self.trouble is not None:
            log.info("the bus answers again")
            self.trouble = None
            self._said.clear()

    def failed(self, error: Exception) -> None:
        """Note that the server did not do what it was asked; the same is said once."""
        ours = isinstance(error, SquadsError)
        said = str(error) if ours else f"{type(error).__name__}: {error}"
        if said not in self._said and len(self._said) < SAID_MAX:  # many wait at once, and each asks something else
            self._said.add(said)
            log.warning("%s", said, exc_info=None if ours else error)
        self.trouble = said
