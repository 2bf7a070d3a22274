"""Which server a command goes to: the one there is, the one Sentinel names, or the one a cluster points at.

A cluster's client needs no map here. A workspace's keys share one hash tag, so they are on one node; whichever node is
asked first says where (`MOVED`), and that is remembered until it fails. So no user needs `CLUSTER SLOTS` or `COMMAND`,
which redis-py's own cluster client asks at every start. Sentinel is asked by its own protocol's one question:
redis-py's `discover_master` says the same where the service is unknown and where no sentinel answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable, code_of, failure
from squads.adapters.redis_bus.lines import Argument, Place, ask, new_connection

if TYPE_CHECKING:
    from redis.exceptions import AskError

_CLUSTER_PLACES_MAX = 1_000


class Routes:
    """Remembers where each slot's commands go. Reading `place` is safe from any thread."""

    def __init__(self, address: BusAddress) -> None:
        self._address = address
        self._slots: dict[int, Place] = {}
        self._seeds: list[Place] = list(address.hosts)
        self._primary: Place | None = None
        if address.kind == "unix":
            self._primary = (address.path, 0)
        elif address.kind == "single":
            self._primary = address.hosts[0]

    def place(self, slot: int) -> Place | None:
        """Return where this slot's commands go as far as that is known now."""
        if self._address.kind == "cluster":
            return self._slots.get(slot) or self._seeds[0]
        return self._primary

    async def find(self, slot: int, *, seconds: float) -> Place:
        """Return where this slot's commands go. Raises `LinkUnavailable` where Sentinel does not say."""
        return self.place(slot) or await self._ask_sentinels(seconds)

    def moved(self, error: AskError, asked: Place) -> Place:
        """Remember where a cluster pointed; where it named no host, it meant the one that was asked."""
        place = (error.host or asked[0], error.port)
        if place not in self._seeds and len(self._seeds) < _CLUSTER_PLACES_MAX:
            self._seeds.append(place)
        if type(error).__name__ == "MovedError":
            self._slots[error.slot_id] = place
        return place

    def lost(self, slot: int, place: Place) -> None:
        """Forget a server that failed; the next command looks again."""
        if self._address.kind == "cluster":
            if self._slots.get(slot) == place:
                del self._slots[slot]
            if self._seeds[0] == place:
                self._seeds.append(self._seeds.pop(0))
        elif self._address.kind == "sentinel" and self._primary == place:
            self._primary = None

    async def _ask_sentinels(self, seconds: float) -> Place:
        failures: list[BaseException] = []
        for place in list(self._seeds):
            try:
                async with asyncio.timeout(seconds / len(self._seeds)):
                    found = await self._ask_sentinel(place)
            except Exception as error:
                failures.append(error)
                continue
            self._seeds.remove(place)
            self._seeds.insert(0, place)
            if found is not None:
                self._primary = found
                return found
        if len(failures) < len(self._seeds):
            raise LinkUnavailable(
                f"the sentinels of {self._address} know no service {self._address.service!r} that is up; check its "
                f"name (SENTINEL MASTERS), or wait for the failover",
                "service",
            )
        worst = failures[0]
        if code_of(worst) in {"noauth", "wrongpass"}:
            raise LinkUnavailable(
                f"the sentinels of {self._address} want another password; set SQUADS_BUS_SENTINEL_PASSWORD", "noauth"
            )
        raise failure(worst, self._address, "SENTINEL GET-MASTER-ADDR-BY-NAME", where="none of its sentinels answered")

    async def _ask_sentinel(self, place: Place) -> Place | None:
        connection: Any = new_connection(self._address, place, connect_seconds=5.0, sentinel=True)
        try:
            await connection.connect()
            question: Sequence[Argument] = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._address.service)
            answer = await ask(connection, question)
        finally:
            with suppress(OSError):
                await connection.disconnect(nowait=True)
        if not isinstance(answer, list) or len(answer) != 2:
            return None
        return bytes(answer[0]).decode("utf-8", "replace"), int(answer[1])
