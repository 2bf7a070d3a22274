"""Every bus adapter, held to the one suite: the one in this process, and Redis Streams on the servers that are here."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

import pytest

from squads.adapters.local_bus import LocalBus
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.seals import SharedSeals
from squads.kernel.bus_ports import Bus
from squads.testing.conformance_bus import BusConformance
from squads.testing.redis_server import RedisServer


class TestLocalBus(BusConformance):
    async def make_bus(self, deliveries_max: int, backlog_max: int) -> Bus:
        return LocalBus(deliveries_max=deliveries_max, backlog_max=backlog_max)


class OverRedis(BusConformance):
    """The suite over a server: each test has a workspace of its own, with keys that no other test touches."""

    soon_seconds = 0.3
    settling_seconds = 0.03
    server: RedisServer

    async def make_bus(self, deliveries_max: int, backlog_max: int) -> Bus:
        link = Link.open(BusAddress.parse(self.server.url))
        seals = SharedSeals(bytes(32))
        return RedisBus(link, token_hex(16), seals, deliveries_max=deliveries_max, backlog_max=backlog_max)


if "valkey" in RedisServer.available():

    class TestRedisBusOnValkey(OverRedis):
        @pytest.fixture(autouse=True, scope="class")
        @classmethod
        def _server(cls) -> Iterator[None]:
            with RedisServer("valkey") as cls.server:
                yield


if "redis" in RedisServer.available():

    class TestRedisBusOnRedis(OverRedis):
        @pytest.fixture(autouse=True, scope="class")
        @classmethod
        def _server(cls) -> Iterator[None]:
            with RedisServer("redis") as cls.server:
                yield


if "given" in RedisServer.available():

    class TestRedisBusOnTheGivenServer(OverRedis):
        server = RedisServer("given")
