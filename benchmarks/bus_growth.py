"""What grows with the number of messages: the cost of each while many wait, and the server's memory."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Sequence
from typing import Any

from bus_messages import requests
from bus_traffic import SLOTS, WITHIN_SECONDS, Figures, batches, opened, sending, timed, until
from redis import Redis

from squads.contracts.messages import Envelope

FILL_CHUNK = 10_000
FILL_MESSAGES = """
for i = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2)) end
"""
FILL_SEEN = """
for i = 1, tonumber(ARGV[1]) do
  redis.call('SET', KEYS[1] .. string.format('%064d', ARGV[2] + i), ARGV[3], 'PX', ARGV[4])
end
"""


async def at_backlogs(
    url: str, server: Redis, ways: Sequence[str], sizes: Sequence[int], rounds: int, count: int
) -> dict[str, dict[str, Figures]]:
    """Return, for each backlog and way, messages sent and handled a second while so many wait on the stream.

    What is sent goes to its end, what is handled comes from its beginning, so the backlog stays what it is.
    """
    found: dict[str, dict[str, Figures]] = {}
    for size in sizes:
        emptied(server)
        workspaces = {way: os.urandom(16).hex() for way in ways}
        for way, workspace in workspaces.items():
            await filled(way, url, server, workspace, size, ahead=(rounds + 1) * (count + 2 * SLOTS))
        taken: dict[str, list[Figures]] = {way: [] for way in ways}
        for number in range(rounds):
            for way in turned(ways, number):
                taken[way].append(await at_backlog(way, url, workspaces[way], count))
        found[str(size)] = {
            way: {key: statistics.median(each[key] for each in taken[way]) for key in taken[way][0]} for way in ways
        }
    for ways_found in found.values():
        for way, figures in ways_found.items():
            for key in ("send", "consume"):
                figures[f"{key}_to_shortest"] = figures[f"{key}_per_s"] / found[str(sizes[0])][way][f"{key}_per_s"]
    return found


async def at_backlog(name: str, url: str, workspace: str, count: int) -> Figures:
    """Return the figures of one way in one round."""
    async with opened(name, url, workspace) as way:
        warm, envelopes = requests(workspace, min(SLOTS, count)), requests(workspace, count)
        await sending(way, "1", warm)
        sent = await timed(count, sending(way, "1", envelopes))
        await way.consume(len(warm), SLOTS)
        handled = await timed(count, way.consume(count, SLOTS))
    return {"send_per_s": sent["per_s"], "consume_per_s": handled["per_s"]}


async def filled(name: str, url: str, server: Redis, workspace: str, size: int, ahead: int) -> None:
    """Let `size` requests wait, each remembered as the way remembers them. The first `ahead` of them can be answered.

    What stands behind those is never read, so the server writes it itself: copies of one message, under one id each.
    """
    if not size:
        return
    async with opened(name, url, workspace) as way:
        for batch in batches(requests(workspace, min(size, ahead))):
            await way.send_batch(batch)
    stream = next(key for key in streams(server) if workspace.encode() in key and server.xlen(key))
    first: Any = server.xrange(stream, count=1)
    fields = [text for pair in first[0][1].items() for text in pair]
    seen = next((key for key in server.scan_iter(f"*{workspace}*:seen:*", count=FILL_CHUNK)), None)
    remembered: tuple[Any, ...] = () if seen is None else (server.get(seen), server.pttl(seen))
    left = size - ahead
    while left > 0:
        chunk = min(left, FILL_CHUNK)
        server.eval(FILL_MESSAGES, 1, stream, chunk, *fields)
        if seen is not None:
            server.eval(FILL_SEEN, 1, seen[:-64], chunk, left, *remembered)
        left -= chunk
    assert size == server.xlen(stream), "the backlog is not what it should be"


async def memory(
    url: str, server: Redis, ways: Sequence[str], sizes: Sequence[int], count: int
) -> dict[str, dict[str, Figures]]:
    """Return, for each size and way, the server's memory per message, in bytes.

    `waiting` is a message on its stream with everything that is kept for it, `stream` its share that is the stream's,
    `after` what is left once it was answered and the answer was taken.
    """
    found: dict[str, dict[str, Figures]] = {}
    for size in sizes:
        label = f"{len(requests('0' * 32, 1, size)[0].model_dump_json())}_bytes"
        for name in ways:
            waiting, stream = await while_waiting(name, url, server, size, count)
            after = await when_done(name, url, server, size, count)
            found.setdefault(label, {})[name] = {"waiting": waiting, "stream": stream, "after": after}
    return found


async def while_waiting(name: str, url: str, server: Redis, size: int, count: int) -> tuple[float, float]:
    """Return what a waiting message takes, with its remembered id and without."""
    workspace = os.urandom(16).hex()
    emptied(server)
    await sent(name, url, workspace, requests(workspace, min(SLOTS, count), size))  # makes what is made once
    forgotten(server)
    before = await used(server)
    await sent(name, url, workspace, requests(workspace, count, size))
    waiting = await used(server)
    forgotten(server)
    return (waiting - before) / count, (await used(server) - before) / count


async def when_done(name: str, url: str, server: Redis, size: int, count: int) -> float:
    """Return what is left of a message that was answered, and of its answer once that was taken."""
    workspace = os.urandom(16).hex()
    emptied(server)
    await pass_through(name, url, server, workspace, requests(workspace, min(SLOTS, count), size))
    forgotten(server)
    before = await used(server)
    await pass_through(name, url, server, workspace, requests(workspace, count, size))
    return (await used(server) - before) / count


async def sent(name: str, url: str, workspace: str, envelopes: list[Envelope]) -> None:
    """Send requests that nobody answers."""
    async with opened(name, url, workspace) as way:
        for batch in batches(envelopes):
            await way.send_batch(batch)


async def pass_through(name: str, url: str, server: Redis, workspace: str, envelopes: list[Envelope]) -> None:
    """Send requests, answer them, and take the answers."""
    await sent(name, url, workspace, envelopes)
    async with opened(name, url, workspace) as way:
        await way.consume(len(envelopes), SLOTS)
        await until(way, lambda: not any(server.xlen(key) for key in streams(server)))


def emptied(server: Redis) -> None:
    """Delete everything, and return when that is done: Valkey otherwise goes on with it while others are measured."""
    server.execute_command("FLUSHALL", "SYNC")  # type: ignore[no-untyped-call]


async def used(server: Redis) -> int:
    """Return the bytes that the server's data take, once nobody else is connected: connections have buffers."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while len(server.client_list()) > 1:  # noqa: ASYNC110  # the server knows, and tells nobody
            await asyncio.sleep(0.01)
    said = server.info("memory")
    return int(said["used_memory"] - said["mem_clients_normal"] - said["mem_aof_buffer"])


def forgotten(server: Redis) -> None:
    """Delete every remembered id."""
    keys = list(server.scan_iter("*:seen:*", count=FILL_CHUNK))
    for start in range(0, len(keys), FILL_CHUNK):
        server.delete(*keys[start : start + FILL_CHUNK])


def streams(server: Redis) -> list[bytes]:
    """Return the streams of what waits."""
    return list(server.scan_iter("*", count=FILL_CHUNK, _type="stream"))


def turned(ways: Sequence[str], number: int) -> list[str]:
    """Return the ways, beginning with another one each round: no way is always the first after a pause."""
    first = number % len(ways)
    return [*ways[first:], *ways[:first]]
