"""Measures one kind of traffic one way: messages a second, the CPU of this process, and how long replies take."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bus_messages import percentile, requests
from bus_ways import WAYS, InProcess, Way, ended

from squads.contracts.messages import Envelope

HERE = Path(__file__).parent
SLOTS = 100
WITHIN_SECONDS = 60.0
KINDS = {
    "send_1": "send, one at a time",
    "send_100": "send, 100 tasks",
    "send_batch": "send, batches of 100",
    "consume_1": "consume and commit, one at a time",
    "consume_100": "consume and commit, 100 at once",
    "consume_batch": "consume and commit, batches of 100",
    "request_1": "request to reply, 1 caller",
    "request_100": "request to reply, 100 callers",
}
"""Each kind of traffic, as tables call it."""
Figures = dict[str, float]


class Program:
    """A process that is told what to do, one JSON line per command, and answers each with one line."""

    def __init__(self, url: str, *command: str) -> None:
        environment = os.environ | {
            "BUS_BENCHMARK_URL": url,
            "BUS_BENCHMARK_REQUEST": requests("0" * 32, 1)[0].model_dump_json(),
        }
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def read(self) -> str:
        """Return its next line; raises where it ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the benchmark ended; what it said stands above")
        return line.strip()

    def tell(self, **command: object) -> str:
        """Give it a command and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self.read()

    def end(self) -> None:
        """Let it end; what does not is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def answerer(url: str) -> Program:
    """Return the process that answers."""
    return Program(url, sys.executable, str(HERE / "bus_answerer.py"))


async def measured(name: str, kind: str, count: int, url: str, other: Program) -> Figures:
    """Return the figures of one way and one kind of traffic, on streams of its own."""
    what, _, many = kind.partition("_")
    workspace = os.urandom(16).hex()
    async with asyncio.timeout(WITHIN_SECONDS), opened(name, url, workspace) as way:
        slots = 1 if many == "1" else SLOTS
        warm, envelopes = requests(workspace, min(slots, count)), requests(workspace, count)
        if what == "send":
            await sending(way, many, warm)
            return await timed(count, sending(way, many, envelopes))
        if what == "consume":
            for batch in batches(warm + envelopes):
                await way.send_batch(batch)
            work = way.consume_batch if many == "batch" else way.consume
            await work(len(warm), slots)
            return await timed(count, work(count, slots))
        answering = None
        if isinstance(way, InProcess):
            answering = asyncio.ensure_future(way.answer(slots))
        else:
            other.tell(way=name, workspace=workspace, slots=slots)
        try:
            return await asking(way, slots, warm, envelopes)
        finally:
            if answering is None:
                other.tell()
            else:
                await ended(answering)


async def sending(way: Way, many: str, envelopes: list[Envelope]) -> None:
    """Send requests one by one, from 100 tasks of which each sends one by one, or in batches."""
    if many == "batch":
        for batch in batches(envelopes):
            await way.send_batch(batch)
        return
    rest = iter(envelopes)

    async def one_by_one() -> None:
        for envelope in rest:
            await way.send(envelope)

    await asyncio.gather(*(one_by_one() for _ in range(int(many))))


async def asking(way: Way, callers: int, warm: list[Envelope], envelopes: list[Envelope]) -> Figures:
    """Have callers send requests and wait for their replies, one after another each."""
    waiting: dict[str, asyncio.Future[None]] = {}

    def arrived(reply: Envelope) -> None:
        waiting.pop(reply.cause).set_result(None)

    async def caller(rest: Iterator[Envelope], took: list[float]) -> None:
        for envelope in rest:
            start = time.perf_counter()
            waiting[envelope.id] = reply = asyncio.get_running_loop().create_future()
            await way.send(envelope)
            await reply
            took.append(time.perf_counter() - start)

    async def asked(these: list[Envelope], took: list[float]) -> None:
        rest = iter(these)
        callings = [asyncio.ensure_future(caller(rest, took)) for _ in range(callers)]
        await asyncio.wait([collecting, *callings], return_when=asyncio.FIRST_COMPLETED)
        if collecting.done():
            collecting.result()
        await asyncio.gather(*callings)

    took: list[float] = []
    collecting = asyncio.ensure_future(way.collect(arrived))
    try:
        await asked(warm, [])
        figures = await timed(len(envelopes), asked(envelopes, took))
    finally:
        await ended(collecting)
    took.sort()
    return figures | {"p50_ms": percentile(took, 0.5) * 1e3, "p99_ms": percentile(took, 0.99) * 1e3}


async def until(way: Way, holds: Callable[[], bool], arrived: Callable[[Envelope], None] = lambda _: None) -> None:
    """Collect replies until something holds."""
    collecting = asyncio.ensure_future(way.collect(arrived))
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            while not holds() and not collecting.done():
                await asyncio.wait([collecting], timeout=0.01)
    finally:
        await ended(collecting)


async def timed(count: int, work: Coroutine[Any, Any, object] | Awaitable[object]) -> Figures:
    """Return messages a second, and the CPU of this process, all threads, that one of them takes."""
    gc.collect()
    start, cpu = time.perf_counter(), time.process_time()
    await work
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"per_s": count / wall, "cpu_us": cpu / count * 1e6}


def batches(envelopes: list[Envelope]) -> Iterator[list[Envelope]]:
    """Cut into batches."""
    return (envelopes[start : start + SLOTS] for start in range(0, len(envelopes), SLOTS))


@asynccontextmanager
async def opened(name: str, url: str, workspace: str) -> AsyncIterator[Way]:
    """Open a way for a block."""
    way = WAYS[name](url, workspace)
    try:
        await way.open()
        yield way
    finally:
        await way.close()
