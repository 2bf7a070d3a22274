"""A bus with real processes around it, on which a fault is played and afterwards judged.

async with Scene(server.url, folder, nursery) as scene:
    worker = scene.worker(crash="worked:2")
    await scene.runner.send_all(range(20), scene.address)
    await scene.settled()
    assert scene.judged().sound
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from bus_history import Event, History, Judgement, judge, read
from fault_traffic import PRIOR, Runner, opened
from redis import Redis
from redis.exceptions import RedisError

import quick_start
from squads.adapters.redis_bus.border import REASONS
from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.names import ORIGIN_MARK, Names
from squads.contracts.messages import address_of

CHILD = Path(__file__).with_name("bus_child.py")
ADDRESS = address_of("carpenter", PRIOR)
PATIENCE_SECONDS = 30.0
STUCK_LINES = 60


class Nursery:
    """Forks workers and runners from a process that has imported everything already."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [quick_start.python(), str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ended: dict[int, int] = {}
        assert "ready" in self._said()

    def spawn(self, config: dict[str, Any]) -> int:
        """Return the process id of a new child."""
        return int(self._ask({"do": "spawn", **config})["pid"])

    def status(self, pid: int) -> int | None:
        """Return how a child ended (a signal is negative); None while it runs."""
        self._ended |= {int(child): status for child, status in self._ask({"do": "ended"})["ended"].items()}
        return self._ended.get(pid)

    def close(self) -> None:
        """End it, and everything that it started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._said()

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery ended; what it said stands above")
        said: dict[str, Any] = json.loads(line)
        return said


class Process:
    """One child, and what can be done to it."""

    def __init__(self, nursery: Nursery, config: dict[str, Any]) -> None:
        self.name = config["name"]
        self.config = config
        self.pid = nursery.spawn(config)
        self._nursery = nursery

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._nursery.status(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL: it gets to do nothing more."""
        self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: as a machine that is suspended."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    def end(self) -> None:
        """SIGTERM: it finishes what it has."""
        self.signal(signal.SIGTERM)


class Scene:
    """One workspace on one server, a runner in this process, and children.

    Args:
        url: The server, or a proxy before it.
        folder: Where histories and logs go.
        admin: The server itself, where `url` is a proxy.
    """

    def __init__(self, url: str, folder: Path, nursery: Nursery, *, admin: str = "", **bus: Any) -> None:
        self.workspace = secrets.token_hex(16)
        self.names = Names(self.workspace)
        self.address = ADDRESS
        self.folder = folder / self.workspace
        self.folder.mkdir(parents=True)
        self.ledger = self.folder / "ledger"
        self.bus_options = {"heartbeat_seconds": 0.1, "dead_after_seconds": 0.5, "deliveries_max": 3} | bus
        self.url = url
        self.admin = Redis.from_url(admin or url, socket_timeout=5)
        self.processes: list[Process] = []
        self.replayed: set[str] = set()
        self._nursery = nursery
        self._history: History | None = None
        self.bus: RedisBus
        self.runner: Runner

    def config(self, **more: Any) -> dict[str, Any]:
        """Return what a process of this scene is told."""
        own = {"url": self.url, "workspace": self.workspace, "folder": str(self.folder), "ledger": str(self.ledger)}
        return own | self.bus_options | more

    def worker(self, *addresses: str, crash: str = "", **more: Any) -> Process:
        """Start a worker of these addresses, the carpenter's by default."""
        number = len(self.processes) + 1
        base = {"program": "worker", "name": f"worker-{number}", "addresses": addresses or (self.address,)}
        return self._spawned(self.config(**base, crash=crash, **more))

    def runner_process(self, numbers: range, *, crash: str = "", **more: Any) -> Process:
        """Start a runner in a process of its own that sends these numbers."""
        number = len(self.processes) + 1
        base = {"program": "runner", "name": f"runner-{number}", "addresses": (self.address,)}
        base |= {"range": (numbers.start, numbers.stop), "instructions": ("work:1",)}
        return self._spawned(self.config(**{**base, "crash": crash, **more}))

    def again(self, process: Process) -> Process:
        """Start a process anew after it died, without the point at which it did."""
        return self._spawned({**process.config, "crash": "", "name": f"{process.name}-again"})

    def _spawned(self, config: dict[str, Any]) -> Process:
        # A bus's own name is not set: consumers get fresh ones.
        process = Process(self._nursery, config)
        self.processes.append(process)
        return process

    # Looking ------------------------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """Return the history so far."""
        return read(self.folder)

    def count(self, what: str, about: str = "") -> int:
        """Return how often something happened, to one request or at all."""
        return sum(1 for event in self.events() if event.what == what and about in ("", event.id))

    def lengths(self) -> Counter[str]:
        """Return how much stands in each of the workspace's streams of work."""
        found: Counter[str] = Counter()
        for key in self.keys("q:*"):
            if not key.endswith(ORIGIN_MARK):
                found[key.removeprefix(self.names.root)] = self.admin.xlen(key)
        return found

    def keys(self, pattern: str = "*") -> list[str]:
        """Return the names of the workspace's keys."""
        return sorted(key.decode() for key in self.admin.scan_iter(match=self.names.root + pattern, count=1_000))

    def dead(self) -> list[dict[str, str]]:
        """Return the dead letters as they stand on the server, with the id of the message where it can be read."""
        found = []
        for _, fields in self.admin.xrange(self.names.dead):
            letter = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
            try:
                letter["id"] = str(json.loads(letter["b"])["id"])
            except (ValueError, TypeError, KeyError, RecursionError):
                letter["id"] = ""
            found.append(letter)
        return found

    # Waiting ------------------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], object], what: str, within: float = PATIENCE_SECONDS) -> None:
        """Return when something holds; fail with what everybody said when it does not."""
        deadline = time.monotonic() + within
        while True:
            with suppress(RedisError):
                if holds():
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come about in {within} s\n{self.told()}")
            await asyncio.sleep(0.02)

    async def answered(self, count: int, within: float = PATIENCE_SECONDS) -> None:
        """Return when so many requests are answered."""
        await self.until(lambda: len(self.runner.answered) >= count, f"{count} answers", within)

    async def happened(self, what: str, about: str = "", times: int = 1, within: float = PATIENCE_SECONDS) -> None:
        """Return when something stands in the history so often."""
        await self.until(lambda: self.count(what, about) >= times, f"{times} x {what} {about}", within)

    async def died(self, process: Process, within: float = PATIENCE_SECONDS) -> None:
        """Return when a process has ended."""
        await self.until(lambda: process.status is not None, f"the end of {process.name}", within)

    async def settled(self, within: float = PATIENCE_SECONDS) -> None:
        """Return when everything that was sent is answered or buried, and nothing waits anywhere."""

        def holds() -> bool:
            open_ = self.runner.sent.keys() - self.runner.answered.keys()
            if open_ and open_ - {letter["id"] for letter in self.dead()}:
                return False
            return not sum(self.lengths().values())

        await self.until(holds, "rest", within)

    def told(self, *wrong: str) -> str:
        """Return what befell some requests, the streams, and the ends of all logs: what a failed test prints."""
        parts = [f"seed folder {self.folder}", str(dict(Counter(event.what for event in self.events())))]
        with suppress(RedisError):
            parts += [f"streams {dict(self.lengths())}", f"dead {[(d['id'][:8], d['reason']) for d in self.dead()]}"]
        open_ = sorted(getattr(self.runner, "sent", {}).keys() - getattr(self.runner, "answered", {}).keys())
        parts.append(f"open {[about[:8] for about in open_][:20]}")
        for about in (*wrong, *open_[:3]):
            mine = [event for event in self.events() if event.id == about]
            parts += [f"  {about[:8]} {e.at:.3f} {e.by} {e.what} {dict(e.more)}" for e in mine[-20:]]
        for log in sorted(self.folder.glob("*.log")):
            parts.append(f"--- {log.name}")
            parts += log.read_text(errors="replace").splitlines()[-STUCK_LINES:]
        return "\n".join(parts)

    # Judging ------------------------------------------------------------------------------------------------------

    def judged(self) -> Judgement:
        """Return what is wrong with everything that happened. What the border refused is no end of a request."""
        assert self._history is not None
        for letter in self.dead():
            if letter["reason"] not in REASONS:
                self._history.say("dead", letter["id"], reason=letter["reason"])
        return judge(self.events(), replayed=self.replayed)

    # Life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._history = History(self.folder, "scene")
        self.bus = await opened(self.config())
        self.bus.declare(self.address)
        self.bus.declare("carpenter")
        self.runner = Runner(self.bus, self._history, self.workspace, ledger=self.ledger)
        self.runner.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
        await self.runner.close()
        await self.bus.close()
        self.admin.close()


async def all_of(works: Sequence[Any]) -> None:
    """Run scenes at once; the first that fails is raised after all have ended."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
