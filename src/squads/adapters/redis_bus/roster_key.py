"""Where the signed roster lies on the server: one key, read by every worker, replaced by runners.

What lies there is believed by nobody for lying there; see `squads.roster`.
"""

from __future__ import annotations

from hashlib import sha1

from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names


class RedisRosterPlace:
    """A `RosterPlace` in a workspace's own key."""

    def __init__(self, link: Link, workspace: str) -> None:
        self._link = link
        self._key = Names(workspace).roster

    async def read(self) -> bytes | None:
        """Return what lies there; None for nothing. Raises `BusUnavailable`."""
        found = await self._link.call("GET", self._key)
        return None if found is None else bytes(found)

    async def swap(self, seen: bytes | None, content: bytes) -> bool:
        """Put `content` in the place of exactly `seen`, by one script; see `scripts/roster.lua`."""
        digest = "" if seen is None else sha1(seen, usedforsecurity=False).hexdigest()
        return bool(await self._link.script("roster", [self._key], [digest, content]))
