"""A cluster and Sentinel behind the same link: whoever serves now is found, and found again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable, LinkUnfit
from squads.adapters.redis_bus.link import Link, slot_of
from squads.testing.redis_cluster import RedisCluster
from squads.testing.redis_server import RedisServer

SERVICE = "bus"
ECHO = b"return redis.call('INCR', KEYS[1])"


@asynccontextmanager
async def linked(address: BusAddress, *, seconds: float = 3.0) -> AsyncIterator[Link]:
    link = Link.open(address, deadline_seconds=seconds)
    try:
        yield link
    finally:
        await link.close()


# Cluster -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster(3) as cluster:
        yield cluster


def address_of(cluster: RedisCluster) -> BusAddress:
    hosts = ",".join(f"{node.host}:{node.port}" for node in cluster.nodes[:2])
    return BusAddress.parse(f"redis+cluster://:{cluster.nodes[0].password}@{hosts}", environ={})


def keys_of(cluster: RedisCluster, name: str = "w") -> list[str]:
    """Return one key of a workspace on each node; those of another name are in other slots, most likely."""
    found: dict[int, str] = {}
    for number in range(1_000):
        key = f"sq:{{{name}{number}}}:q"
        found.setdefault(slot_of(["GET", key]) * len(cluster.nodes) // 16_384, key)
    return [found[node] for node in sorted(found)]


async def test_every_workspace_of_a_cluster_is_found(cluster: RedisCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, pipelines, scripts, readers and hearts follow their keys, whichever node was asked first."""
    from hashlib import sha1

    digest = sha1(ECHO, usedforsecurity=False).hexdigest()
    monkeypatch.setattr("squads.adapters.redis_bus.link._scripts", {"count": (ECHO, digest)})
    async with linked(address_of(cluster)) as link:
        for key in keys_of(cluster):
            await link.call("XGROUP", "CREATE", key, "g", "0", "MKSTREAM")
            entry = (await link.calls([("XADD", key, "*", "b", "x"), ("XLEN", key)]))[0].decode()
            heart = link.heart()
            heart.beat([f"{key}:hb"], 5_000)
            heart.close()

            assert [(key, [(entry, {b"b": b"x"})])] == await link.reader().read("g", "c", [key], count=1, block_ms=10)
            assert 1 == await link.call("EXISTS", f"{key}:hb")
            assert 1 == await link.script("count", [f"{key}:n"])
            assert 2 == await link.script("count", [f"{key}:n"])


async def test_a_reader_that_was_never_told_finds_its_node(cluster: RedisCluster) -> None:
    """The first read may come before any command; it says nothing wrong, and the next one is at the right node."""
    key = keys_of(cluster)[2]
    with cluster.nodes[2].client() as client:
        client.delete(key)
        client.xadd(key, {"b": "x"})
    async with linked(address_of(cluster)) as link:
        reader = link.reader()
        answers = [await reader.xread({key: "0"}, count=1, block_ms=0) for _ in range(2)]

    assert [key] == [stream for stream, _ in answers[1]]


async def test_a_heart_that_was_never_told_finds_its_node(cluster: RedisCluster) -> None:
    """A thread follows the cluster by itself."""
    key = keys_of(cluster)[2]
    async with linked(address_of(cluster)) as link:
        heart = link.heart()
        heart.beat([f"{key}:alone"], 5_000)
        heart.close()

        assert 1 == await link.call("EXISTS", f"{key}:alone")


async def test_a_slot_that_moved_is_followed(cluster: RedisCluster) -> None:
    """What was remembered is corrected by the cluster's own word, also in a pipeline."""
    key = keys_of(cluster, "moved")[0]
    async with linked(address_of(cluster)) as link:
        await link.call("DEL", key)
        slot = slot_of(["GET", key])
        with cluster.nodes[0].client() as first, cluster.nodes[1].client() as second:
            _give(slot, first, second)
            try:
                assert [b"OK", b"1"] == await link.calls([("SET", key, 1), ("GET", key)])
                assert b"1" == second.get(key)
                await link.call("DEL", key)
            finally:
                _give(slot, second, first)
        assert await link.call("GET", key) is None


async def test_a_slot_that_is_on_its_way_is_asked_for_there(cluster: RedisCluster) -> None:
    """ASK is for one command, and nothing is remembered of it."""
    key = keys_of(cluster, "asked")[0]
    async with linked(address_of(cluster)) as link:
        await link.call("DEL", key)
        slot = slot_of(["GET", key])
        with cluster.nodes[0].client() as first, cluster.nodes[1].client() as second:
            ids = [client.execute_command("CLUSTER MYID").decode() for client in (first, second)]
            second.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
            first.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
            try:
                assert b"OK" == await link.call("SET", key, "there")
                assert b"there" == await link.call("GET", key)
                assert 1 == await link.call("DEL", key)
            finally:
                for client in (first, second):
                    client.execute_command("CLUSTER SETSLOT", slot, "STABLE")


async def test_a_client_that_was_not_told_of_the_cluster_says_what_to_write(cluster: RedisCluster) -> None:
    """The address is right and its kind is wrong; that is one word to change."""
    async with linked(BusAddress.parse(cluster.url, environ={})) as link:
        with pytest.raises(LinkUnfit, match="redis\\+cluster://") as failed:
            await link.call("SET", keys_of(cluster)[2], "x")
    assert "cluster" == failed.value.code
    assert cluster.nodes[0].password not in str(failed.value)


async def test_a_node_that_died_is_found_again_when_it_is_back(cluster: RedisCluster) -> None:
    """What is only on the dead node is an error with a name; the other seeds stay, and the command goes on later."""
    keys = keys_of(cluster)
    async with linked(address_of(cluster), seconds=1.0) as link:
        await link.call("SET", f"{keys[0]}:kept", "x")
        cluster.nodes[0].kill()
        with pytest.raises(LinkUnavailable) as failed:
            await link.call("GET", f"{keys[0]}:kept")
        cluster.nodes[0].restart()
        for node in cluster.nodes:
            with node.client() as client:
                RedisServer.await_cluster(client)
        assert b"x" == await link.call("GET", f"{keys[0]}:kept")
    assert failed.value.code in {"refused", "reset", "clusterdown"}


# Sentinel ------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[RedisServer, RedisServer, RedisServer]]:
    """A primary, its replica, and a sentinel that watches them."""
    with RedisServer() as primary, RedisServer(password=primary.password) as replica:
        with replica.client() as client:
            client.replicaof(primary.host, str(primary.port))
        with RedisServer(primary.flavour, extra=["--sentinel"]) as sentinel:
            with sentinel.client() as client:
                client.execute_command("SENTINEL MONITOR", SERVICE, primary.host, primary.port, 1)
                for option, value in (
                    ("auth-pass", primary.password),
                    ("down-after-milliseconds", 300),
                    ("failover-timeout", 2_000),
                ):
                    client.execute_command("SENTINEL SET", SERVICE, option, value)
                await _until(lambda: _replicas(client))
            yield primary, replica, sentinel


def sentinel_address(primary: RedisServer, sentinel: RedisServer, *, service: str = SERVICE) -> BusAddress:
    return BusAddress.parse(
        f"redis+sentinel://:{primary.password}@127.0.0.1:1,{sentinel.host}:{sentinel.port}/{service}",
        environ={"SQUADS_BUS_SENTINEL_PASSWORD": sentinel.password},
    )


async def test_after_a_failover_the_new_primary_is_found() -> None:
    """Commands, readers and hearts go on there; what the link knew is forgotten with the old one."""
    async with watched() as (primary, replica, sentinel):
        address = sentinel_address(primary, sentinel)
        async with linked(address) as link:
            await link.call("SET", "sq:{w}:a", "before")
            reader, heart = link.reader(), link.heart()
            await reader.xread({"sq:{w}:q": "0"}, count=1, block_ms=0)
            heart.beat(["sq:{w}:hb:a"], 60_000)
            with sentinel.client() as client:
                primary.kill()
                await _until(
                    lambda: replica.port == int(client.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)[1])
                )

            async with asyncio.timeout(10):
                while True:
                    try:
                        await link.call("SET", "sq:{w}:b", "after")
                        break
                    except LinkUnavailable:
                        continue
            assert [] == await _tried(reader)
            heart.beat(["sq:{w}:hb:b"], 60_000)
            heart.close()
        with replica.client() as client:
            assert b"after" == client.get("sq:{w}:b")
            assert 1 == client.exists("sq:{w}:hb:b")


async def test_a_service_that_no_sentinel_knows_is_named() -> None:
    """It is told from sentinels that do not answer, and from a wrong password of theirs."""
    with RedisServer(extra=["--sentinel"]) as sentinel:
        wrong = BusAddress.parse(f"redis+sentinel://127.0.0.1:{sentinel.port}/{SERVICE}", environ={})
        async with linked(sentinel_address(sentinel, sentinel, service="nobody")) as link:
            with pytest.raises(LinkUnavailable, match="know no service 'nobody'") as unknown:
                await link.call("PING")
        async with linked(wrong) as link:
            with pytest.raises(LinkUnavailable, match="SQUADS_BUS_SENTINEL_PASSWORD") as locked:
                await link.call("PING")
    async with linked(wrong) as link:
        with pytest.raises(LinkUnavailable, match="none of its sentinels answered") as gone:
            await link.call("PING")

    assert ["service", "noauth", "refused"] == [failed.value.code for failed in (unknown, locked, gone)]


async def _tried(reader: object) -> list[object]:
    from squads.adapters.redis_bus.reader import Reader

    assert isinstance(reader, Reader)
    async with asyncio.timeout(5):
        while True:
            try:
                return list(await reader.xread({"sq:{w}:q": "0"}, count=1, block_ms=0))
            except LinkUnavailable:
                continue


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        for pause in itertools.repeat(0.02):
            if holds():
                return
            await asyncio.sleep(pause)


def _give(slot: int, old: Any, new: Any) -> None:
    owner = new.execute_command("CLUSTER MYID").decode()
    for client in (new, old):
        client.execute_command("CLUSTER SETSLOT", slot, "NODE", owner)


def _replicas(sentinel: Any) -> bool:
    """Whether the sentinel would choose the replica: it has seen it, connected and up."""
    answer = sentinel.execute_command("SENTINEL REPLICAS", SERVICE)
    return any(one[b"master-link-status"] == b"ok" and one[b"flags"] == b"slave" for one in answer)
