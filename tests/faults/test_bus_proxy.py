"""The broken network that the bus is tested with really breaks, in the way it says and where it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bus_proxy import BusProxy
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, TimeoutError

from squads.testing.redis_server import RedisServer


@asynccontextmanager
async def behind(server: RedisServer) -> AsyncIterator[tuple[BusProxy, Redis]]:
    """A proxy, and a client that tries once and waits 0.2 s."""
    async with BusProxy(server.host, server.port, seed=1) as proxy:
        client = Redis(
            host=proxy.host,
            port=proxy.port,
            password=server.password,
            socket_timeout=0.2,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
        )
        try:
            yield proxy, client
        finally:
            await client.aclose()


async def test_what_passes_arrives(own_server: RedisServer) -> None:
    """Untouched, also a value of several pieces."""
    async with behind(own_server) as (proxy, client):
        value = bytes(range(256)) * 2_000
        await client.set("passes", value)

        assert value == await client.get("passes")
        assert 1 == proxy.open


async def test_a_lost_reply_was_executed(own_server: RedisServer) -> None:
    """Every second increment is done and not heard of: the count goes on, the client sees a broken connection."""
    async with behind(own_server) as (proxy, client):
        await client.delete("count")
        loss = proxy.lose_replies(b"INCR", every=2)
        heard = []
        for _ in range(6):
            try:
                heard.append(await client.incr("count"))
            except ConnectionError:
                heard.append(None)

        assert [1, None, 3, None, 5, None] == heard
        assert (6, 3) == (loss.matched, loss.lost)


async def test_a_lost_reply_without_a_cut_is_silence(own_server: RedisServer) -> None:
    """The client waits for its own bound."""
    async with behind(own_server) as (proxy, client):
        proxy.lose_replies(b"PING", times=1, cut=False)
        with pytest.raises(TimeoutError):
            await client.ping()

        assert await client.ping()


async def test_a_cut_ends_connections_and_takes_new_ones(own_server: RedisServer) -> None:
    """One command fails, the next one connects anew."""
    async with behind(own_server) as (proxy, client):
        await client.ping()
        assert 1 == proxy.cut()
        with pytest.raises(ConnectionError):
            await client.ping()

        assert await client.ping()
        assert 2 == len(proxy.connected)


async def test_a_half_open_connection_is_silent(own_server: RedisServer) -> None:
    """The server has no connection any more, and the client is not told."""
    async with behind(own_server) as (proxy, client):
        await client.ping()
        proxy.half_open()
        with pytest.raises(TimeoutError):
            await client.ping()
        await proxy.heal()

        assert await client.ping()


async def test_a_stall_holds_everything_back(own_server: RedisServer) -> None:
    """New connections as well, until it heals."""
    async with behind(own_server) as (proxy, client):
        proxy.stall()
        with pytest.raises(TimeoutError):
            await client.ping()
        await proxy.heal()

        assert await client.ping()


async def test_refused_connections_are_refused(own_server: RedisServer) -> None:
    """At once, not by waiting; and the port is the same afterwards."""
    async with behind(own_server) as (proxy, client):
        await client.ping()
        await proxy.refuse()
        with pytest.raises(RedisError):
            await client.ping()
        with pytest.raises(OSError):
            await asyncio.open_connection(proxy.host, proxy.port)
        await proxy.heal()

        assert await client.ping()


async def test_it_counts_how_fast_connections_come(own_server: RedisServer) -> None:
    """The most within any window."""
    proxy = BusProxy(own_server.host, own_server.port)
    proxy.connected = [0.0, 0.1, 0.9, 1.5, 1.6, 1.7, 1.8, 3.0]

    assert 5 == proxy.fastest(1.0)
    assert 1 == proxy.fastest(0.01)
