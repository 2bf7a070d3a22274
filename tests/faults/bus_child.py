"""The processes that the bus's faults happen to: the other half of `test_bus_*.py`. Not a test itself.

    bus_child.py        a nursery: it imports once, and forks a process for each JSON line on its standard input

    {"do": "spawn", "program": "worker" | "runner", ...}   answered with {"pid": ...}
    {"do": "ended"}                                        answered with {"ended": {pid: status}}: all that ended yet

A worker does what each request says, in its `builders`: `work:20` (milliseconds), `block:500` (the event loop stands),
`until:PATH` (a file comes), `die`, `raise`, `refuse`. A runner sends a range of requests and takes the answers.
SQUADS_CRASH_AT=point:n makes a process kill itself at the n-th time that it comes by that point. Nothing in the library
knows of this: the bus's methods are wrapped from out here.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections import Counter
from hashlib import sha1
from pathlib import Path
from typing import Any

from bus_history import History
from fault_traffic import Runner, opened, reply_of

from squads.adapters.redis_bus.scripts import source
from squads.contracts.errors import BusClosed, BusError
from squads.kernel.bus_ports import Consumer, Delivery

POINTS = ("reading", "received", "working", "worked", "sending", "sent", "committed")
"""Where a worker can die, in the order in which it comes by: with a read under way, with a message in hand, in the
middle of its work, after it, before its answer goes, with its answer gone and nothing heard, and after that."""

ON_THE_WIRE = {"commit": "sent", "reclaim": "reclaiming", "send": "asked"}
"""Where anybody can die with a script under way: the server does it, and nobody hears of it."""


class Crash:
    """Counts how often a process came by its points, and kills it at the one that it was told."""

    def __init__(self, history: History) -> None:
        self._point, _, number = os.environ.get("SQUADS_CRASH_AT", "").partition(":")
        self._number = int(number or 1)
        self._passed: Counter[str] = Counter()
        self._history = history

    def at(self, point: str, about: str = "") -> None:
        """Die here, if it is the time."""
        self._passed[point] += 1
        if point == self._point and self._passed[point] == self._number:
            self._history.say("crash", about, point=point)
            os.kill(os.getpid(), signal.SIGKILL)

    def on_the_wire(self) -> None:
        """Come by `reading`, `sent` and the like: the command went to the server, its answer has not been read."""
        from redis.asyncio.connection import AbstractConnection

        real = AbstractConnection.send_packed_command
        # Whoever sends, and however many together: what goes out names the script by its digest or is its text.
        points = [(source(name).encode(), point) for name, point in ON_THE_WIRE.items()]
        points += [(sha1(text, usedforsecurity=False).hexdigest().encode(), point) for text, point in points]

        async def send_packed_command(connection: Any, command: Any, *args: Any, **more: Any) -> None:
            await real(connection, command, *args, **more)
            said = command if isinstance(command, bytes) else b"".join(command)
            if b"XREADGROUP" in said:
                self.at("reading")
            for mark, point in points:
                if mark in said:
                    self.at(point)

        AbstractConnection.send_packed_command = send_packed_command  # type: ignore[method-assign]


class Serving:
    """A worker: up to `slots` requests at once, until it is told to end, and then to the end of those."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.history = History(Path(config["folder"]), config["name"])
        self.slots = int(config.get("slots", 1))
        self.crash = Crash(self.history)
        self.crash.on_the_wire()
        self.config = config
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve every address until SIGTERM, then finish what is in hand."""
        bus = await opened(self.config)
        bus.on_loss = self._lost
        ending = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
        consumers: list[Consumer] = []
        for address in self.config["addresses"]:
            bus.declare(address)
            consumers += [bus.consumer(address, slots=self.slots) for _ in range(self.config.get("consumers", 1))]
        readers = [asyncio.create_task(self._serve(consumer)) for consumer in consumers]
        self.history.say("serving", consumers=len(consumers))
        await ending.wait()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for consumer in consumers:
            await consumer.close()
        await bus.close()
        self.history.say("drained")

    async def _lost(self) -> None:
        self.history.say("lost")

    async def _serve(self, consumer: Consumer) -> None:
        slots = asyncio.Semaphore(self.slots)
        while True:
            await slots.acquire()
            try:
                delivery = await consumer.receive()
            except BusClosed:
                return
            except BusError as error:  # the bus comes back by itself, and so does a worker
                self.history.say("trouble", error=f"{type(error).__name__}: {error}")
                slots.release()
                await asyncio.sleep(0.05)
                continue
            task = asyncio.create_task(self._handle(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: slots.release())

    async def _handle(self, delivery: Delivery) -> None:
        envelope = delivery.envelope
        about = envelope.id
        self.history.say("start", about, attempt=delivery.attempt)
        self.crash.at("received", about)
        try:
            if not await self._do(delivery, envelope.body.builders):
                return
            self.history.say("effect", about)
            self.crash.at("worked", about)
            mark = f"{self.config['name']} {os.getpid()} {time.monotonic_ns()}"
            self.history.say("committing", about, mark=mark)
            self.crash.at("sending", about)
            try:
                kept = await delivery.reply(reply_of(envelope, mark))
            except BusError as error:  # nobody knows; whoever gets it next finds out
                self.history.say("uncertain", about, error=f"{type(error).__name__}: {error}")
                await delivery.release("the bus did not take the answer")
                return
            self.history.say("committed" if kept else "fenced", about)
            self.crash.at("committed", about)
        except BusError as error:
            self.history.say("ended", about, how=f"{type(error).__name__}: {error}")
        except Exception:
            traceback.print_exc()
            self.history.say("ended", about, how="bug")
            raise

    async def _do(self, delivery: Delivery, instructions: tuple[str, ...]) -> bool:
        """Do what a request says; False where there is no answer to it."""
        for instruction in instructions:
            what, _, argument = instruction.partition(":")
            if what == "work":
                await asyncio.sleep(int(argument) / 1000)
            elif what == "block":
                time.sleep(int(argument) / 1000)  # noqa: ASYNC251 - that the loop stands is the point
            elif what == "until":
                while not Path(argument).exists():  # noqa: ASYNC110, ASYNC240 - another process makes the file
                    await asyncio.sleep(0.01)
            elif what == "die":
                self.history.say("crash", delivery.envelope.id, point="poison")
                os.kill(os.getpid(), signal.SIGKILL)
            elif what == "raise":
                await delivery.release("it was told to")
                return False
            elif what == "refuse":
                await delivery.bury("it was told to")
                return False
            self.crash.at("working", delivery.envelope.id)
        return True


async def run_runner(config: dict[str, Any]) -> None:
    """Send a range of requests and take their answers until all are there; then stay until SIGTERM."""
    history = History(Path(config["folder"]), config["name"])
    crash = Crash(history)
    crash.on_the_wire()
    bus = await opened(config)
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    runner = Runner(
        bus, history, config["workspace"], ledger=Path(config["ledger"]), owns=config.get("owns"), passed=crash.at
    )
    runner.start()
    for number in range(*config["range"]):
        await runner.send(number, config["addresses"][number % len(config["addresses"])], *config["instructions"])
    await ending.wait()
    await runner.close()
    await bus.close()
    history.say("drained")


def become(config: dict[str, Any]) -> None:
    """Be the process that was asked for; never return."""
    code = 1
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, ctypes.c_ulong(signal.SIGKILL))  # with the nursery, however that ends
        log = os.open(f"{config['folder']}/{config['name']}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for ours, descriptor in ((null, 0), (log, 1), (log, 2)):
            os.dup2(ours, descriptor)
        logging.basicConfig(level=config.get("level", "WARNING"), format="%(asctime)s %(name)s %(message)s")
        os.environ["SQUADS_CRASH_AT"] = config.get("crash", "")
        if config["program"] == "worker":
            asyncio.run(Serving(config).run())
        else:
            asyncio.run(run_runner(config))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Fork what is asked for until standard input ends; then end all of it."""
    import redis.asyncio  # noqa: F401 - imported once, for every fork

    import squads.adapters.redis_bus.bus  # noqa: F401

    living: set[int] = set()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        said: dict[str, Any] = {}
        if order["do"] == "spawn":
            child = os.fork()
            if not child:
                become(order)
            living.add(child)
            said = {"pid": child}
        else:
            ended = {}
            for child in list(living):
                found, status = os.waitpid(child, os.WNOHANG)
                if found:
                    living.discard(child)
                    ended[child] = os.waitstatus_to_exitcode(status)
            said = {"ended": ended}
        print(json.dumps(said), flush=True)
    for child in living:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
