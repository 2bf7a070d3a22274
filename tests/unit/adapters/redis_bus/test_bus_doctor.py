"""The doctor: refuses a server that could lose or show work, and never calls fine what it could not see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.doctor import _open_to_all, check_server, examine
from squads.adapters.redis_bus.facts import Greeting
from squads.adapters.redis_bus.fitness import CHECKS, Diagnosis, Finding, Observed
from squads.adapters.redis_bus.link import Link
from squads.contracts.errors import BusUnavailable, BusUnfit
from squads.testing.redis_server import RedisServer

FLAVOURS = RedisServer.available(own=True)
HERE = BusAddress.parse("redis://127.0.0.1", environ={})
AWAY = BusAddress.parse("redis://bus.example.org", environ={})
INFO = {
    "maxmemory_policy": "noeviction",
    "aof_enabled": "1",
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "connected_slaves": "0",
    "used_memory": str(1 << 20),
    "maxmemory": str(1 << 30),
    "total_system_memory": str(1 << 33),
}
GREETING = Greeting(brand="valkey", version=(9, 1, 2), mode="standalone", primary=True)
SOUND = Observed(
    address=HERE,
    greeting=GREETING,
    info=INFO,
    settings={"appendfsync": "always", "bind": "127.0.0.1 -::1", "protected-mode": "yes"},
    open_to_all=False,
    clock_off_ms=3,
    round_trip_us=150,
)


def found(seen: Observed) -> dict[str, Finding]:
    return {one.check: one for one in (check(seen) for check in CHECKS) if one is not None}


def info(**values: str) -> dict[str, str]:
    return INFO | values


def test_a_sound_server_is_fine() -> None:
    """Nothing is said of what is as it should be, but that it was looked at."""
    assert {"fine"} == {one.grade for one in found(SOUND).values()}


@pytest.mark.parametrize(
    ("check", "grade", "change", "fix"),
    [
        ("eviction", "refused", {"info": info(maxmemory_policy="allkeys-lru")}, "maxmemory-policy noeviction"),
        ("append-only", "refused", {"info": info(aof_enabled="0")}, "CONFIG SET appendonly yes"),
        ("append-only", "fine", {"info": info(aof_enabled="0"), "disposable": True}, ""),
        ("sync", "refused", {"settings": {"appendfsync": "no"}}, "CONFIG SET appendfsync always"),
        ("sync", "warning", {"settings": {"appendfsync": "everysec"}}, "CONFIG SET appendfsync always"),
        ("writing", "refused", {"info": info(aof_last_write_status="err")}, "make room"),
        ("writing", "warning", {"info": info(rdb_last_bgsave_status="err")}, "make room"),
        ("access", "warning", {"open_to_all": True}, "ACL SETUSER default off"),
        ("access", "refused", {"open_to_all": True, "settings": {"bind": "*"}}, "ACL SETUSER default off"),
        ("access", "refused", {"open_to_all": True, "settings": {"bind": ""}}, "ACL SETUSER default off"),
        ("access", "refused", {"open_to_all": True, "settings": {}}, "ACL SETUSER default off"),
        ("access", "unseen", {"open_to_all": None}, ""),
        ("protected", "warning", {"settings": {"protected-mode": "no"}}, "protected-mode yes"),
        ("protected", "refused", {"settings": {"protected-mode": "no"}, "open_to_all": True}, "protected-mode yes"),
        ("tls", "refused", {"address": AWAY}, "tls-port"),
        ("tls", "fine", {"address": replace(AWAY, tls=True)}, ""),
        ("tls", "fine", {"address": BusAddress.parse("unix:///run/r.sock", environ={})}, ""),
        ("replicas", "warning", {"info": info(connected_slaves="2")}, "min-replicas-to-write 1"),
        ("replicas", "fine", {"info": info(connected_slaves="2", min_slaves_good_slaves="2")}, ""),
        ("clock", "warning", {"clock_off_ms": -3_600_000}, "chrony"),
        ("memory", "warning", {"info": info(used_memory=str(900 << 20))}, "CONFIG SET maxmemory"),
        ("memory", "warning", {"info": info(maxmemory="0")}, f"CONFIG SET maxmemory {6 << 30}"),
        ("latency", "warning", {"round_trip_us": 80_000}, "nearer"),
        ("role", "refused", {"greeting": replace(GREETING, primary=False)}, "primary"),
    ],
)
def test_what_stands_wrong_is_graded_and_has_its_line(check: str, grade: str, change: dict[str, Any], fix: str) -> None:
    """Each says what, why it loses or leaks, and the line to change; nothing else changes its grade."""
    one = found(replace(SOUND, **change))[check]

    assert grade == one.grade
    assert fix in one.fix
    assert (grade == "fine") == (not one.why)


@pytest.mark.parametrize(
    ("cluster", "grade"),
    [
        ({"cluster_state": "ok", "cluster_slots_ok": "16384"}, "fine"),
        ({"cluster_state": "ok", "cluster_slots_ok": "16383"}, "refused"),
        ({"cluster_state": "fail", "cluster_slots_ok": "16384"}, "refused"),
        ({}, "refused"),
        (None, "unseen"),
    ],
)
def test_a_cluster_serves_every_slot_or_is_refused(cluster: dict[str, str] | None, grade: str) -> None:
    """A workspace in a slot that nobody serves would wait for ever."""
    seen = replace(SOUND, greeting=replace(GREETING, mode="cluster"), cluster=cluster)

    assert grade == found(seen)["cluster"].grade


def test_what_could_not_be_looked_at_is_never_fine() -> None:
    """Not finding out is its own grade, and the command's exit code says so."""
    blind = Observed(address=HERE, greeting=SOUND.greeting)
    grades = {name: one.grade for name, one in found(blind).items() if name not in {"version", "role", "tls"}}

    assert {"unseen"} == set(grades.values())
    assert {"eviction", "append-only", "sync", "writing", "access", "protected", "clock", "memory"} <= set(grades)
    said = Diagnosis(address="", server="", round_trip_us=None, disposable=False, findings=tuple(found(blind).values()))
    assert 2 == said.exit_code


# Against servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=FLAVOURS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param, appendfsync="always") as server:
        yield server


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    link = Link.open(BusAddress.parse(url, environ={}), deadline_seconds=2.0)
    try:
        yield link
    finally:
        await link.close()


async def test_a_server_of_the_tests_is_fit(server: RedisServer) -> None:
    """Every check finds what it looks for, in both families; unlimited memory is the one warning."""
    async with linked(server.url) as link:
        said = await examine(link)
        await check_server(link)

    assert {"memory": "warning"} == {one.check: one.grade for one in said.findings if one.grade != "fine"}
    assert 0 == said.exit_code
    assert server.password not in said.model_dump_json()


@pytest.mark.parametrize(
    ("setting", "unsafe", "check"),
    [
        ("maxmemory-policy", "allkeys-lru", "eviction"),
        ("appendfsync", "no", "sync"),
        ("appendonly", "no", "append-only"),
    ],
)
async def test_an_unsafe_setting_refuses_to_begin(server: RedisServer, setting: str, unsafe: str, check: str) -> None:
    """A runner or worker does not start on such a server, and says what to change."""
    with server.client() as client:
        before = client.config_get(setting)[setting]
        client.config_set(setting, unsafe)
        try:
            async with linked(server.url) as link:
                said = await examine(link)
                with pytest.raises(BusUnfit, match=f"CONFIG SET {setting}"):
                    await check_server(link)
        finally:
            client.config_set(setting, before)

    assert [check] == [one.check for one in said.refused]
    assert 2 == said.exit_code


async def test_a_disposable_server_needs_no_file(server: RedisServer) -> None:
    """Who says so may work without; nothing else becomes allowed by it."""
    with server.client() as client:
        client.config_set("appendonly", "no")
        try:
            async with linked(server.url) as link:
                await check_server(link, disposable=True)
                client.config_set("maxmemory-policy", "volatile-ttl")
                with pytest.raises(BusUnfit):
                    await check_server(link, disposable=True)
        finally:
            client.config_set("appendonly", "yes")
            client.config_set("maxmemory-policy", "noeviction")


async def test_a_user_who_may_see_nothing_is_told_so(server: RedisServer) -> None:
    """A worker starts, for it is not its task to look; the doctor calls nothing fine that it did not see."""
    with server.client() as client:
        client.acl_setuser("eve", enabled=True, passwords=["+pw"], commands=["+ping"])

    async with linked(server.url_of("eve", "pw")) as link:
        await check_server(link)
        said = await examine(link)
    assert {"eviction", "append-only", "sync", "writing", "protected", "clock", "memory", "replicas"} == {
        one.check for one in said.findings if one.grade == "unseen"
    }
    assert 2 == said.exit_code


async def test_a_door_that_is_open_is_found_by_trying_it(server: RedisServer) -> None:
    """Whatever the settings say: a connection without a password got in."""
    with server.client() as client:
        client.config_set("requirepass", "")
        try:
            async with linked(f"redis://127.0.0.1:{server.port}") as link:
                said = {one.check: one for one in (await examine(link)).findings}
        finally:
            client.config_set("requirepass", server.password)

    assert "warning" == said["access"].grade  # bound to this machine alone


async def test_a_replica_is_no_server_for_a_bus() -> None:
    """It would take no message, and this is found before the first."""
    with RedisServer() as primary, RedisServer(password=primary.password) as replica:
        with replica.client() as client:
            client.replicaof("127.0.0.1", str(primary.port))
        async with linked(replica.url) as link:
            said = await examine(link)
        async with linked(primary.url) as link:
            of_primary = {one.check: one.grade for one in (await examine(link)).findings}

    assert ["role"] == [one.check for one in said.refused]
    assert "fine" != of_primary.get("replicas", "warning")


async def test_an_unreachable_server_is_no_finding() -> None:
    """It could not be examined at all, which is an error with its own sentence."""
    async with linked("redis://127.0.0.1:1") as link:
        with pytest.raises(BusUnavailable, match="nobody listens there"):
            await examine(link)


async def test_a_door_that_could_not_be_tried_is_not_called_locked() -> None:
    """Nobody answered: that says nothing of passwords."""
    async with linked("redis://127.0.0.1:1") as link:
        assert await _open_to_all(link) is None


async def test_an_old_server_is_a_finding(monkeypatch: pytest.MonkeyPatch, server: RedisServer) -> None:
    """It has an address and a version, and one line: upgrade it."""
    monkeypatch.setattr("squads.adapters.redis_bus.facts.REDIS_MIN", (99, 0, 0))
    monkeypatch.setattr("squads.adapters.redis_bus.facts.VALKEY_MIN", (99, 0, 0))
    async with linked(server.url) as link:
        said = await examine(link)
        with pytest.raises(BusUnfit, match="upgrade it"):
            await check_server(link)

    assert ["version"] == [one.check for one in said.refused]
