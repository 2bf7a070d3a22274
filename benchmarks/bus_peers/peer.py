"""What the programs of the peers share: their messages, the commands that they take, and the clock.

A peer's program runs in an environment of its own, without squads. It says its versions in one JSON line, then reads
one JSON line per command, `{"kind": ..., "count": ..., "queue": ...}`, and answers each with its figures. For requests
and replies it starts itself once more, as `PROGRAM worker QUEUE`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

URL = os.environ["BUS_BENCHMARK_URL"]
SLOTS = 100
WITHIN_SECONDS = 120.0
PROGRAM = str(Path(sys.argv[0]).resolve())


class Body(BaseModel):
    """What is asked, with the fields of a request for a verdict."""

    model_config = ConfigDict(extra="forbid")

    packet: str
    workspace: str
    content: str
    memory: str | None
    due_ms: int
    kind: Literal["review"]
    ticket: str
    reads: str
    task: int
    attempt: int
    subject: str
    plan: str | None
    numbers: list[int]
    inputs: list[dict[str, Any]]
    waivers: list[list[str]]
    independence: str
    tree_head: dict[str, Any] | None


class Request(BaseModel):
    """The request that the other ways send, field by field."""

    model_config = ConfigDict(extra="forbid")

    id: str
    sender: str
    recipient: str
    packet: str
    cause: str
    prior: str
    body: Body


class Answer(BaseModel):
    """What is answered; its bytes as the base64 that they are in JSON."""

    kind: Literal["signed"] = "signed"
    payload: str
    key: str
    signature: str
    content: list[str] = []


class Reply(BaseModel):
    """The reply that the other ways send."""

    id: str
    sender: str
    recipient: str
    packet: str
    cause: str
    prior: str | None = None
    body: Answer


def answer_to(request: Request) -> Reply:
    """Return a reply of the size that the other ways give."""
    body = Answer(payload="x" * 256, key="k" * 44, signature="s" * 88)
    return Reply(
        id=request.id, sender=request.recipient, recipient="runner", packet=request.packet, cause=request.id, body=body
    )


class Handled:
    """Counts what a handler has done, and knows when it began and ended."""

    def __init__(self) -> None:
        self.count, self.expected, self.began, self.ended = 0, 0, 0.0, 0.0
        self.cpu = 0.0
        self.all = asyncio.Event()

    def expect(self, count: int) -> None:
        """Count from nothing again, up to `count`."""
        self.count, self.expected, self.all = 0, count, asyncio.Event()

    def one(self) -> None:
        """Count one."""
        if not self.count:
            self.began, self.cpu = time.perf_counter(), time.process_time()
        self.count += 1
        if self.count == self.expected:
            self.ended, self.cpu = time.perf_counter(), time.process_time() - self.cpu
            self.all.set()


class Peer(Protocol):
    """One library on one queue."""

    handled: Handled

    def opened(self) -> AbstractAsyncContextManager[Any]:
        """Connect for a block."""
        ...

    def serving(self, slots: int) -> AbstractAsyncContextManager[Any]:
        """Work off the queue for a block, up to `slots` at once."""
        ...

    async def send(self, request: Request) -> Any:
        """Send one."""
        ...

    async def send_batch(self, requests: Sequence[Request]) -> Any:
        """Send many in the quickest way that the library has."""
        ...

    async def ask(self, request: Request) -> Any:
        """Send one and wait for its reply."""
        ...


New = Callable[[str, bool], Peer]
"""Makes a peer: of a queue, and whether replies are asked for."""


async def measured(new: New, kind: str, count: int, queue: str) -> dict[str, float]:
    """Return the figures of one kind of traffic."""
    name, _, many = kind.partition("_")
    template = json.loads(os.environ["BUS_BENCHMARK_REQUEST"])
    requests = [Request.model_validate({**template, "id": os.urandom(32).hex()}) for _ in range(count + SLOTS)]
    warm, requests = requests[:SLOTS], requests[SLOTS:]
    peer = new(queue, name == "request")
    async with asyncio.timeout(WITHIN_SECONDS), peer.opened():
        if name == "send":
            return await _sent(peer, many, warm, requests)
        slots = SLOTS if many != "1" else 1
        if name == "consume":
            await peer.send_batch(requests)
            peer.handled.expect(count)
            async with peer.serving(slots):
                await peer.handled.all.wait()
            took = peer.handled.ended - peer.handled.began
            return {"per_s": (count - 1) / took, "cpu_us": peer.handled.cpu / count * 1e6}
        return await _asked(peer, slots, queue, warm, requests)


async def _sent(peer: Peer, many: str, warm: list[Request], requests: list[Request]) -> dict[str, float]:
    if many == "1":
        await peer.send(warm[0])
        return await _timed(len(requests), _one_by_one(peer.send, iter(requests)))
    if many == "100":
        await asyncio.gather(*map(peer.send, warm))
        rest = iter(requests)
        return await _timed(len(requests), asyncio.gather(*(_one_by_one(peer.send, rest) for _ in range(SLOTS))))

    async def batches() -> None:
        for start in range(0, len(requests), SLOTS):
            await peer.send_batch(requests[start : start + SLOTS])

    await peer.send_batch(warm)
    return await _timed(len(requests), batches())


async def _one_by_one(send: Any, requests: Any) -> None:
    for request in requests:
        await send(request)


async def _asked(
    peer: Peer, callers: int, queue: str, warm: list[Request], requests: list[Request]
) -> dict[str, float]:
    command = (sys.executable, PROGRAM, "worker", queue, str(callers))
    pipe = asyncio.subprocess.PIPE
    worker = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        await worker.stdout.readline()
        took: list[float] = []

        async def call(rest: Any) -> None:
            for request in rest:
                start = time.perf_counter()
                await peer.ask(request)
                took.append(time.perf_counter() - start)

        await asyncio.gather(*(call(iter([request])) for request in warm[:callers]))
        took.clear()
        rest = iter(requests)
        figures = await _timed(len(requests), asyncio.gather(*(call(rest) for _ in range(callers))))
    finally:
        worker.stdin.close()
        try:
            await asyncio.wait_for(worker.wait(), 5)
        except TimeoutError:
            worker.kill()
            await worker.wait()
    took.sort()
    last = len(took) - 1
    return figures | {
        "p50_ms": took[min(last, len(took) // 2)] * 1e3,
        "p99_ms": took[min(last, int(0.99 * len(took)))] * 1e3,
    }


async def _timed(count: int, work: Any) -> dict[str, float]:
    gc.collect()
    start, cpu = time.perf_counter(), time.process_time()
    await work
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"per_s": count / wall, "cpu_us": cpu / count * 1e6}


async def _work(new: New, queue: str, slots: int) -> None:
    peer = new(queue, True)
    async with peer.opened(), peer.serving(slots):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


def run(new: New, *packages: str) -> None:
    """Be the program of one peer."""
    if sys.argv[1:2] == ["worker"]:
        asyncio.run(_work(new, sys.argv[2], int(sys.argv[3])))
        return
    print(json.dumps({name: version(name) for name in packages}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            figures: dict[str, Any] = asyncio.run(measured(new, command["kind"], command["count"], command["queue"]))
        except Exception as error:
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            figures = {"failed": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(figures), flush=True)
