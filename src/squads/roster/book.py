"""What one worker believes of the roster, and for how long. An older one must never be believed again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from squads.contracts.errors import Denied
from squads.contracts.roster import Roster
from squads.kernel.ports import Clock
from squads.ledger.trust import Trust
from squads.roster.signed import read_roster, span

TOLERANCE_MS: Final = 5 * 60_000
"""By how much the clocks of two machines may differ."""


class RosterBook:
    """What one worker believes: the newest roster it has seen, and for how long.

    The roster is fresh while this machine's clock agrees within the tolerance, and while on its monotonic clock no
    more than a lifetime has passed since a newer one came: a replayed one is not newer, however good its signature.

    Args:
        trust: Names the log whose signature counts.
        tolerance_ms: By how much this machine's clock may differ from the runner's.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        trust: Trust,
        *,
        clock: Clock,
        tolerance_ms: int = TOLERANCE_MS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trust = trust
        self.roster: Roster | None = None
        """The newest one that was taken; it may have gone stale."""
        self._clock = clock
        self._tolerance_ms = tolerance_ms
        self._monotonic = monotonic
        self._content = b""
        self._known: dict[bytes, tuple[bytes, frozenset[str]]] = {}
        self._seen = self._until = float("-inf")

    def take(self, content: bytes) -> Roster:
        """Read a roster, and believe it from now on if it is newer; the one that is believed already changes nothing.

        Raises `Denied` for one that is forged, of another workspace, expired or from the future by this machine's
        clock, or older than what was seen. What was believed before stays as it was.
        """
        if self._content and content == self._content:
            self._check_time(self._newest())
            return self._newest()
        roster = read_roster(content, self.trust)
        self._check_time(roster)
        self._check_newer(roster)
        lifetime = roster.lifetime_ms / 1000
        if self.roster is None:
            # How long the first one has lain there, nobody here knows but by the clock. Where that says it is over,
            # the next one settles it: a replayed roster has none.
            lifetime = min(lifetime, (roster.expires_ms - self._clock.now_ms()) / 1000)
        self._seen = self._monotonic()
        self._until = self._seen + lifetime
        self._content, self.roster = content, roster
        self._known = {
            bytes.fromhex(known.key): (bytes.fromhex(known.public_key), frozenset(known.roles)) for known in roster.keys
        }
        return roster

    @property
    def fresh(self) -> bool:
        """True while work may begin: a newer roster was seen within its lifetime."""
        if self.roster is None or self._monotonic() >= self._until:
            return False
        # A machine that slept may not have counted the time on its monotonic clock.
        return self._clock.now_ms() <= self.roster.expires_ms + self._tolerance_ms

    @property
    def age_seconds(self) -> float | None:
        """How long ago a newer roster was seen; None where none ever was."""
        return None if self.roster is None else self._monotonic() - self._seen

    @property
    def signing(self) -> str:
        """How the newest roster says that messages are signed; empty where none does."""
        return "" if self.roster is None else self.roster.signing

    def stopped(self, packet: str) -> bool:
        """Say whether the newest roster stops a packet; whether that is still true, `fresh` says."""
        return self.roster is not None and self.roster.stopped(packet)

    def key_of(self, key_id: bytes) -> tuple[bytes, frozenset[str]] | None:
        """Return the public key and the roles of a key that may speak, as far as the newest roster knows; or None.

        Also of a stale roster: nothing is begun then, and what waits must not be taken for forged.
        """
        return self._known.get(key_id)

    def _newest(self) -> Roster:
        assert self.roster is not None
        return self.roster

    def _check_time(self, roster: Roster) -> None:
        now = self._clock.now_ms()
        if (ahead := roster.issued_ms - now) > self._tolerance_ms:
            raise Denied(
                f"the roster was issued {span(ahead)} in the future by this machine's clock, and clocks may differ by "
                f"{span(self._tolerance_ms)}; set the clock here or on the runner's machine"
            )
        if (late := now - roster.expires_ms) > self._tolerance_ms:
            raise Denied(
                f"the roster expired {span(late)} ago by this machine's clock: no runner of this workspace is "
                f"running, or the clocks differ by so much (they may by {span(self._tolerance_ms)}); "
                "start a runner, or set the clock"
            )

    def _check_newer(self, roster: Roster) -> None:
        before = self.roster
        if before is None:
            return
        if roster.number <= before.number:
            raise Denied(
                f"the roster has number {roster.number} and {before.number} was seen before: somebody put an old one "
                "back, or the runner's clock was set back; it is not believed"
            )
        if roster.index < before.index:
            raise Denied(
                f"the roster knows {roster.index} receipts and {before.index} were known before: it was read off an "
                "older copy of the ledger; restore the newest one, and then start this worker again"
            )
