"""Random faults by a seed, all kinds at once, against a bus that works: the long version of `test_bus_*.py`.

A round plays faults for some seconds while requests come in, then heals everything, waits until all of it is at rest,
and has the history judged. The same seed plays the same faults in the same order; when they hit is the machine's.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bus_history import Judgement
from bus_proxy import BusProxy
from bus_scene import ADDRESS, Nursery, Process, Scene
from fault_traffic import request
from redis.exceptions import RedisError

from squads.adapters.redis_bus.border import Border
from squads.adapters.redis_bus.seals import SharedSeals
from squads.testing.redis_server import Flavour, RedisServer

WORKERS = 4
SETTLES_WITHIN_SECONDS = 90.0
AGAIN_SECONDS = 5.0
"""How often what is not answered is sent again; the real runner does it every 30 s."""


class Nemesis:
    """Plays faults on a scene.

    Args:
        lossy: Also those after which the server has lost what it had accepted.
    """

    def __init__(self, scene: Scene, server: RedisServer, proxy: BusProxy, chance: random.Random, lossy: bool) -> None:
        self.scene, self.server, self.proxy, self.chance = scene, server, proxy, chance
        self.played: Counter[str] = Counter()
        self._workers: list[Process] = []
        self._poisoned = 0
        plays = [self.kill, self.kill, self.freeze, self.restart, self.pause, self.cut, self.lose, self.stall]
        plays += [self.refuse, self.half_open, self.forge, self.replay, self.twice, self.poison, self.jump, self.drain]
        self._plays: list[Callable[[], Awaitable[object]]] = [*plays]
        if lossy:
            self._plays += [self.wipe, self.destroy, self.empty]

    async def play(self, seconds: float) -> None:
        """Play one fault after the other."""
        end = time.monotonic() + seconds
        while len(self._workers) < WORKERS:
            self._workers.append(self.scene.worker(slots=self.chance.randint(1, 6)))
        while time.monotonic() < end:
            play = self.chance.choice(self._plays)
            self.played[play.__name__] += 1
            with suppress(RedisError):
                await play()
            self.replace()
            await asyncio.sleep(self.chance.uniform(0.05, 0.6))
        await self.proxy.heal()

    def replace(self) -> None:
        """Start a worker for each that has died."""
        for number, worker in enumerate(self._workers):
            if worker.status is not None:
                self._workers[number] = self.scene.worker(slots=self.chance.randint(1, 6))

    async def kill(self) -> None:
        """SIGKILL to a worker."""
        self.chance.choice(self._workers).kill()

    async def drain(self) -> None:
        """SIGTERM to a worker."""
        self.chance.choice(self._workers).end()

    async def freeze(self) -> None:
        """SIGSTOP to a worker, past its lease or not."""
        worker = self.chance.choice(self._workers)
        worker.freeze()
        await asyncio.sleep(self.chance.uniform(0.1, 2.0))
        worker.thaw()

    async def restart(self) -> None:
        """SIGKILL to the server, and the data it had."""
        await asyncio.to_thread(self.server.restart)

    async def pause(self) -> None:
        """SIGSTOP to the server."""
        with self.server.paused():
            await asyncio.sleep(self.chance.uniform(0.1, 1.5))

    async def cut(self) -> None:
        """Reset some connections."""
        self.proxy.cut_some(self.chance.random())

    async def lose(self) -> None:
        """Lose answers to one kind of command."""
        command = self.chance.choice([b"EVAL", b"XREADGROUP", b"XPENDING", b"SET", b"PTTL"])
        self.proxy.lose_replies(command, every=self.chance.randint(1, 9), times=self.chance.randint(1, 5))

    async def stall(self) -> None:
        """Hold everything back."""
        self.proxy.stall()
        await asyncio.sleep(self.chance.uniform(0.1, 1.5))
        await self.proxy.heal()

    async def refuse(self) -> None:
        """Take no connections."""
        await self.proxy.refuse()
        await asyncio.sleep(self.chance.uniform(0.1, 1.5))
        await self.proxy.heal()

    async def half_open(self) -> None:
        """End the server's side of all connections."""
        self.proxy.half_open()
        await asyncio.sleep(self.chance.uniform(0.1, 1.0))
        await self.proxy.heal()

    async def forge(self) -> None:
        """Write what nobody may."""
        names = self.scene.names
        stream = self.chance.choice([names.requests(ADDRESS).key, names.replies(ADDRESS).key])
        evil = Border(self.scene.workspace, SharedSeals(self.chance.randbytes(32)))
        forged = evil.written(request(self.scene.workspace, self.chance.random().hex(), "carpenter"), stream)
        self.scene.admin.xadd(stream, self.chance.choice([forged, {b"b": self.chance.randbytes(50)}, {b"x": b"y"}]))

    async def replay(self) -> None:
        """Write a request that stands there once more."""
        stream = self.scene.names.requests(ADDRESS).key
        for _, fields in self.scene.admin.xrevrange(stream, count=1):
            for about in (about for about in self.scene.runner.sent if about.encode() in fields.get(b"b", b"")):
                self.scene.replayed.add(about)
            self.scene.admin.xadd(stream, fields)

    async def twice(self) -> None:
        """Have everything that is not answered sent again."""
        await self._again()

    async def poison(self) -> None:
        """Send a request that kills whoever works on it; one per round is enough."""
        if not self._poisoned:
            self._poisoned += 1
            await asyncio.wait_for(self.scene.runner.send("poison", ADDRESS, "work:5", "die"), 20)

    async def jump(self) -> None:
        """Have every sign of life expire, as a clock that jumps ahead does."""
        if found := self.scene.keys("hb:*"):
            self.scene.admin.delete(*found)

    async def wipe(self) -> None:
        """FLUSHALL."""
        self.server.wipe()

    async def destroy(self) -> None:
        """Destroy a group."""
        asked, answers = self.scene.names.requests(ADDRESS), self.scene.names.replies(ADDRESS)
        key, group = self.chance.choice([(asked.key, ADDRESS), (asked.lane, ADDRESS), (answers.key, "runner")])
        self.scene.admin.xgroup_destroy(key, group)

    async def empty(self) -> None:
        """Delete the streams, and nothing beside them."""
        if found := self.scene.keys("q:*"):
            self.scene.admin.delete(*found)

    async def _again(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.scene.runner.send_again(), 5)


async def play_round(
    seed: str, seconds: float, folder: Path, nursery: Nursery, *, flavour: Flavour, lossy: bool
) -> tuple[Judgement, dict[str, Any]]:
    """Play one round, and return how it was judged, and figures. Raises `AssertionError` where it does not settle."""
    chance = random.Random(seed)
    with RedisServer(flavour, appendfsync=chance.choice(["always", "everysec"])) as server:
        async with BusProxy(server.host, server.port, seed=chance.randrange(2**32)) as proxy:
            url = server.url.replace(f":{server.port}/", f":{proxy.port}/")
            async with Scene(url, folder, nursery, admin=server.url, deliveries_max=6, backlog_max=200) as scene:
                nemesis = Nemesis(scene, server, proxy, chance, lossy)
                sending = asyncio.create_task(_traffic(scene, seconds))
                await nemesis.play(seconds)
                began = time.monotonic()
                await asyncio.wait_for(sending, SETTLES_WITHIN_SECONDS)
                await _settled(scene, nemesis)
                found = scene.judged()
                figures = {
                    "sent": len(scene.runner.sent),
                    "answered": len(scene.runner.answered),
                    "dead": len(found.dead),
                    "begun_again": sum(found.repeated.values()) - len(found.repeated),
                    "fenced": found.counts["fenced"],
                    "late": found.counts["late"],
                    "refused_at_the_border": len(scene.dead()) - len(found.dead),
                    "settled_seconds": round(time.monotonic() - began, 1),
                    "faults": dict(sorted(nemesis.played.items())),
                }
                if not found.sound:
                    figures["told"] = scene.told(*found.lost, *found.doubled, *found.forged)
                return found, figures


async def _traffic(scene: Scene, seconds: float) -> None:
    """Send requests at some pace for a while, some of them long."""
    chance = random.Random(f"{scene.workspace} traffic")
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        count = chance.randint(1, 10)
        await scene.runner.send_all(range(number, number + count), ADDRESS, f"work:{chance.choice([1, 5, 20, 200])}")
        number += count
        await asyncio.sleep(chance.uniform(0.0, 0.1))


async def _settled(scene: Scene, nemesis: Nemesis) -> None:
    """Return when everything is answered or buried; workers that poison kills are replaced, as a supervisor would."""
    again = time.monotonic() + AGAIN_SECONDS
    sending: asyncio.Task[None] | None = None

    def holds() -> bool:
        nonlocal again, sending
        nemesis.replace()
        if time.monotonic() > again and (sending is None or sending.done()):
            again = time.monotonic() + AGAIN_SECONDS
            sending = asyncio.create_task(scene.runner.send_again())
        buried = {letter["id"] for letter in scene.dead()}
        return scene.runner.sent.keys() <= scene.runner.answered.keys() | buried and not sum(scene.lengths().values())

    await scene.until(holds, "rest", SETTLES_WITHIN_SECONDS)
