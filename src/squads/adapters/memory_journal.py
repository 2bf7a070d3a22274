"""The journal in this process's memory: nothing is paid twice while the process lives.

It must never promise to outlive its process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from squads.adapters.journal_rows import Key, key_of
from squads.contracts.thinking import Step


class MemoryJournal:
    """A `Journal` in dictionaries, one for each request. Durable for as long as the object lives."""

    def __init__(self, check: Callable[[str], object] = lambda packet: packet) -> None:
        """Make an empty journal; `check` raises `SubjectErased` for a packet that was erased."""
        self._check = check
        self._steps: dict[str, dict[Key, Step]] = {}
        self._packets: dict[str, str] = {}
        """Request to packet, where that was said."""

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None."""
        return self._steps.get(about, {}).get((about, kind, digest, turn))

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep a step unless there is one for its kind, input and turn; return the one that is kept."""
        key = key_of(about, step)
        if packet:
            self._check(packet)
            self._packets[about] = packet
        # One call each, so that threads with loops of their own cannot come between look and leap.
        return self._steps.setdefault(about, {}).setdefault(key, step)

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        self._packets.pop(about, None)
        return len(self._steps.pop(about, {}))

    def erase_packets(self, packets: Collection[str]) -> None:
        """Remove the steps of every request of these packets."""
        for about in [about for about, packet in list(self._packets.items()) if packet in packets]:
            del self._packets[about]
            self._steps.pop(about, None)
