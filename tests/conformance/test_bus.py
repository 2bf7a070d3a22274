"""Every bus adapter, held to the one suite."""

from __future__ import annotations

from squads.adapters.local_bus import LocalBus
from squads.kernel.ports import Bus
from squads.testing.conformance_bus import BusConformance


class TestLocalBus(BusConformance):
    async def make_bus(self, deliveries_max: int, backlog_max: int) -> Bus:
        return LocalBus(deliveries_max=deliveries_max, backlog_max=backlog_max)
