"""A look at the bus: what waits, who works, what died, and whom work waits for that nobody serves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

import pytest

from squads.adapters.redis_bus import acl
from squads.adapters.redis_bus import survey as module
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.survey import BusStanding, said_of, survey
from squads.testing.redis_server import RedisServer

PRIOR = "ab12cd34ef56ab12"
ADDRESS = f"schema@{PRIOR}"


@pytest.fixture(scope="module", params=RedisServer.available(own=True))
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    with server.client() as client:
        yield client


@pytest.fixture
def names() -> Names:
    return Names(token_hex(16))


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    link = Link.open(BusAddress.parse(url, environ={}), deadline_seconds=2.0)
    try:
        yield link
    finally:
        await link.close()


async def looked(server: RedisServer, names: Names) -> BusStanding:
    async with linked(server.url) as link:
        return await survey(link, names.workspace)


def queue(client: Any, names: Names, waiting: int, *, taken: int = 0, consumer: str = "schema.host.1.abcdef") -> None:
    """Lay out an edge with its lane, some of it in a consumer's hands."""
    edge = names.requests(ADDRESS)
    for stream in (edge.key, edge.lane):
        client.xgroup_create(stream, ADDRESS, "0", mkstream=True)
    client.set(edge.origin, "x")
    for number in range(waiting + taken):
        client.xadd(edge.key, {"b": "x"}, id=f"{1_000 + number}-0")
    if taken:
        client.xreadgroup(ADDRESS, consumer, {edge.key: ">"}, count=taken)


async def test_an_empty_bus_stands_empty(server: RedisServer, names: Names) -> None:
    """Nothing was ever sent: nothing is there, and nothing is wrong."""
    found = await looked(server, names)

    assert ((), (), 0, (), None, True) == (
        found.queues,
        found.workers,
        found.dead_total,
        found.dead,
        found.roster_age_ms,
        found.complete,
    )
    assert (found.memory_bytes or 0) > 0
    assert server.password not in found.model_dump_json()


async def test_what_waits_is_told_from_what_is_in_hand(server: RedisServer, client: Any, names: Names) -> None:
    """Three wait, two are out with a worker whose heart beats, and the oldest of the three is known by its id."""
    queue(client, names, 3, taken=2)
    client.set(names.heartbeat("schema.host.1.abcdef"), "1", px=10_000)
    client.xadd(names.requests(ADDRESS).lane, {"b": "x"})
    found = await looked(server, names)
    (one,) = found.queues
    (worker,) = found.workers
    seconds, _ = client.time()

    assert ("runner", ADDRESS, 4, 2, 1, 1) == (
        one.sender,
        one.recipient,
        one.waiting,
        one.in_hand,
        one.quarantined,
        one.workers,
    )
    assert abs(seconds * 1000 - 1_002 - (one.oldest_ms or 0)) < 5_000
    assert ("schema.host.1.abcdef", ADDRESS, True, 2) == (worker.name, worker.address, worker.alive, worker.in_hand)
    assert not found.unserved


async def test_work_that_nobody_serves_is_named(server: RedisServer, client: Any, names: Names) -> None:
    """A consumer without a heartbeat serves nobody; a person reads whose prior it is that nobody has."""
    queue(client, names, 3, taken=1)
    (one,) = (await looked(server, names)).unserved

    assert (3, 0) == (one.waiting, one.workers)
    assert "schema as of prior ab12…" == said_of(one)


async def test_dead_letters_are_counted_by_reason(server: RedisServer, client: Any, names: Names) -> None:
    """The total of all, and the reasons of the newest."""
    for reason in ("forged", "forged", "crashed its worker"):
        client.xadd(names.dead, {"b": "x", "reason": reason})
    found = await looked(server, names)

    assert 3 == found.dead_total
    assert {"forged": 2, "crashed its worker": 1} == {one.reason: one.count for one in found.dead}


async def test_the_rosters_age_is_by_its_own_word(server: RedisServer, client: Any, names: Names) -> None:
    """Whether it is believed is for workers to say; here it is only how long ago it says it was issued."""
    seconds, _ = client.time()
    client.set(names.roster, b'squads.roster/v1\nc2ln\n{"index":4,"issued_ms":%d,"keys":[]}' % ((seconds - 7) * 1000))
    age_ms = (await looked(server, names)).roster_age_ms

    assert age_ms is not None
    assert 6_000 <= age_ms <= 9_000


async def test_other_workspaces_are_not_shown(server: RedisServer, client: Any, names: Names) -> None:
    """They share the server, and nothing else."""
    queue(client, Names(token_hex(16)), 3)

    assert () == (await looked(server, names)).queues


async def test_garbage_on_the_server_is_shown_as_nothing(server: RedisServer, client: Any, names: Names) -> None:
    """A stream with an odd name, an entry without fields, a roster that is none: a look is never stopped by them."""
    client.xadd(f"{names.root}q:a:b:c:d", {"x": "y"})
    client.xadd(f"{names.root}q:\xff", {"x": "y"})
    client.set(f"{names.root}q:plain", "x")
    client.xadd(names.dead, {"x": "\x1b[2J"})
    client.set(names.roster, b'"issued_ms":99999999999999999999')
    found = await looked(server, names)

    assert (1, {"": 1}, None) == (found.dead_total, {one.reason: one.count for one in found.dead}, found.roster_age_ms)


async def test_a_look_is_bounded_and_says_so(
    server: RedisServer, client: Any, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More keys than one look may read leave it incomplete, which is not the same as empty."""
    monkeypatch.setattr(module, "PAGES_MAX", 1)
    monkeypatch.setattr(module, "PAGE", 1)
    for number in range(50):
        client.xadd(f"{names.root}q:runner:r{number}", {"b": "x"})
    found = await looked(server, names)

    assert not found.complete


async def test_the_watcher_and_the_runner_may_look_and_a_role_may_not(
    server: RedisServer, client: Any, names: Names
) -> None:
    """The users of `squads acl` are enough for this, and a role's is not."""
    passwords = acl.new_passwords(["schema"])
    queue(client, names, 2)
    for user in acl.users(names.workspace, ["schema"], passwords=passwords):
        client.execute_command("ACL", "SETUSER", *user.line.split()[1:])
    seen = {}
    for role in ("runner", acl.WATCH, "schema"):
        async with linked(server.url_of(acl.user_name(names.workspace, role), passwords[role])) as link:
            try:
                seen[role] = (await survey(link, names.workspace)).queues[0].waiting
            except LinkUnavailable as error:
                seen[role] = error.code  # type: ignore[assignment]

    assert {"runner": 2, acl.WATCH: 2, "schema": "noperm"} == seen
