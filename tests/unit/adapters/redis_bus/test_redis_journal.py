"""What was paid for, on the bus's server: the first step wins, none is mixed up, and nobody's junk is taken for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from squads.adapters.redis_bus import journal as module
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.journal import RedisJournal
from squads.adapters.redis_bus.link import Link
from squads.adapters.sealed_journal import SealedJournal, SignatureSeal
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.contracts.thinking import Step
from squads.testing.conformance_journal import ABOUT, found, step
from squads.testing.fixed import FixedSigner
from squads.testing.redis_server import RedisServer


@pytest.fixture(scope="module", params=RedisServer.available())
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Link]:
    link = Link.open(BusAddress.parse(server.url))
    yield link
    await link.close()


@pytest.fixture
def workspace() -> str:
    return uuid4().hex


def key(workspace: str) -> str:
    return f"sq:{{{workspace}}}:step:style:{ABOUT}"


async def test_steps_lie_under_their_workspace_role_and_request(link: Link, workspace: str) -> None:
    """One hash for each request, so that erasing is one command; another workspace, or role, has nothing."""
    put = step(b"paid", kind="tool", turn=7)
    await RedisJournal(link, workspace, "style").put(ABOUT, put)

    assert await link.call("HGETALL", key(workspace)) == [f'["tool","{put.input}",7]'.encode(), b"paid"]
    assert await found(RedisJournal(link, uuid4().hex, "style"), ABOUT, put) is None
    for role in ("styl", "style:", "other", "*", "style\u00e9"):
        assert await found(RedisJournal(link, workspace, role), ABOUT, put) is None


async def test_no_role_reaches_into_another_by_its_name(link: Link, workspace: str) -> None:
    """Where a role's name ends and a request's begins is never in doubt."""
    put = await RedisJournal(link, workspace, "style:x").put("request", step(b"paid"))

    assert await found(RedisJournal(link, workspace, "style"), "x:request", put) is None
    assert put == await found(RedisJournal(link, workspace, "style:x"), "request", put)


async def test_no_words_of_one_step_name_another(link: Link, workspace: str) -> None:
    """Whatever is asked for: what a lookup is made of cannot be shifted from one part of it into the next."""
    journal = RedisJournal(link, workspace, "style")
    put = await journal.put(ABOUT, step(b"paid", turn=1))

    for kind, digest, turn in (
        (f'model","{put.input}', "", 1),
        (f'model","{put.input}",1]', "", 1),
        ("model", f'{put.input}",1]', 1),
        ("model", put.input[:-1], 1),
        (f"model,{put.input}", "", 1),
        ("", f'model","{put.input}', 1),
    ):
        assert await journal.get(ABOUT, kind, digest, turn) is None
    assert put == await found(journal, ABOUT, put)


async def test_steps_stay_until_they_are_erased(link: Link, workspace: str) -> None:
    """Unless it is said how long; then each step that is put lets its request's steps live on."""
    await RedisJournal(link, workspace, "style").put(ABOUT, step(b"one"))
    assert await link.call("TTL", key(workspace)) == -1

    await RedisJournal(link, workspace, "style", keep_seconds=1_000).put(ABOUT, step(b"two", turn=2))
    await link.call("EXPIRE", key(workspace), 10)
    await RedisJournal(link, workspace, "style", keep_seconds=1_000).put(ABOUT, step(b"rival", turn=2))

    assert 990 <= await link.call("TTL", key(workspace)) <= 1_000
    with pytest.raises(InvalidInput, match="give at least 1, or None"):
        RedisJournal(link, workspace, "style", keep_seconds=0)


@pytest.mark.parametrize("planted", ["list", "large"])
async def test_what_is_no_step_stops_the_request_before_it_is_paid_for(
    link: Link, workspace: str, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply that could not be kept would be paid again and again, and junk of any size is not loaded."""
    monkeypatch.setattr(module, "STEP_BYTES_MAX", 1_000)
    if planted == "list":
        await link.call("RPUSH", key(workspace), b"x")
    else:
        await link.call("HSET", key(workspace), module._field("model", step().input, 1), bytes(1_001))
    asked: list[Any] = []
    call = link.call

    async def noted(*command: Any) -> Any:
        asked.append(command[0])
        return await call(*command)

    monkeypatch.setattr(link, "call", noted)
    journal = RedisJournal(link, workspace, "style")

    with pytest.raises(StorageUnavailable, match=f"request {ABOUT[:12]}"):
        await found(journal, ABOUT, step())
    with pytest.raises(StorageUnavailable, match=f"request {ABOUT[:12]}"):
        await journal.put(ABOUT, step(b"paid"))
    assert "HGET" not in asked


async def test_a_step_that_is_erased_while_it_loses_is_put_after_all(
    link: Link, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between losing to another step and reading it, somebody erased that: the place is free."""
    journal = RedisJournal(link, workspace, "style")
    await journal.put(ABOUT, step(b"first"))
    call = link.call
    erased: list[int] = []

    async def erasing(*command: Any) -> Any:
        if not erased:
            erased.append(await call("DEL", key(workspace)))
        return await call(*command)

    monkeypatch.setattr(link, "call", erasing)

    assert step(b"second") == await journal.put(ABOUT, step(b"second"))
    assert step(b"second") == await found(journal, ABOUT, step())


async def test_a_step_that_is_erased_again_and_again_is_given_up(
    link: Link, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not without end: the sentence says what to look for."""
    journal = RedisJournal(link, workspace, "style")
    await journal.put(ABOUT, step(b"first"))

    async def lost(commands: Any) -> list[int]:
        return [0]

    async def gone(*command: Any) -> Any:
        return 0 if command[0] == "HSTRLEN" else None

    monkeypatch.setattr(link, "calls", lost)
    monkeypatch.setattr(link, "call", gone)

    with pytest.raises(StorageUnavailable, match="was erased 5 times while it was written"):
        await journal.put(ABOUT, step(b"second"))


async def test_what_was_put_by_a_cancelled_task_is_found_by_the_next(
    link: Link, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the server is slow: a lookup waits for what is still on its way."""
    call, calls, release = link.call, link.calls, asyncio.Event()
    asked: list[Any] = []

    async def slow(commands: Any) -> Any:
        await release.wait()
        return await calls(commands)

    async def noted(*command: Any) -> Any:
        asked.append(command[0])
        return await call(*command)

    monkeypatch.setattr(link, "calls", slow)
    monkeypatch.setattr(link, "call", noted)
    journal = RedisJournal(link, workspace, "style")
    waiting = asyncio.create_task(journal.put(ABOUT, step(b"paid")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    lookup = asyncio.create_task(found(journal, ABOUT, step()))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not asked
    release.set()

    assert step(b"paid") == await lookup
    assert not journal._putting


async def test_a_server_that_cannot_be_reached_is_storage_that_is_not_available(workspace: str) -> None:
    """Nothing was acknowledged, nothing hangs, and nobody is asked as if nothing had been paid."""
    link = Link.open(BusAddress.parse("redis://:secret@127.0.0.1:1/0"), deadline_seconds=0.2)
    journal = RedisJournal(link, workspace, "style")

    for attempt in (journal.put(ABOUT, step()), found(journal, ABOUT, step()), journal.erase(ABOUT)):
        with pytest.raises(StorageUnavailable, match=r"steps of request a{12} cannot be reached.*127\.0\.0\.1:1") as e:
            await attempt
        assert "secret" not in str(e.value)
    await link.close()


async def test_workers_with_keys_of_their_own_share_what_was_paid(link: Link, workspace: str) -> None:
    """The same role on another machine finds the step; a planted one, and one of another role, it does not."""
    gate, other, builder = FixedSigner("gate"), FixedSigner("gate elsewhere"), FixedSigner("builder")
    roles = {"gate:style": (gate, other), "builder:b": (builder,)}
    known = {signer.key_id: (signer.public_key, frozenset({role})) for role, held in roles.items() for signer in held}

    def journal(role: str, signer: FixedSigner) -> SealedJournal:
        return SealedJournal(RedisJournal(link, workspace, "style"), SignatureSeal(role, signer, known.get))

    paid: Step = await journal("gate:style", gate).put(ABOUT, step(b"refused"))
    await journal("builder:b", builder).put(ABOUT, step(b"approved", turn=2))

    assert paid == await found(journal("gate:style", other), ABOUT, paid)
    assert paid == await journal("gate:style", other).put(ABOUT, step(b"another"))
    assert await found(journal("gate:style", other), ABOUT, step(turn=2)) is None
