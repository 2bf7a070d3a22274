"""A network that can be broken on purpose: a TCP proxy between Redis clients and their server.

    async with BusProxy(server.host, server.port) as proxy:
        proxy.lose_replies(b"EVALSHA", every=7)     # executed by the server, never heard of by the client
        proxy.cut()  proxy.stall()  proxy.half_open()  proxy.delay(0.05)  proxy.refuse()  proxy.heal()

What happens depends on how many commands passed and on the seed, on nothing else.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

CHUNK_BYTES = 65_536
TAIL_BYTES = 256
"""How much of what was sent before is looked at with what comes next: a command may arrive in two pieces."""


@dataclass
class Loss:
    """Replies that are to be lost."""

    command: bytes
    every: int = 1
    times: int | None = None
    cut: bool = True
    matched: int = 0
    lost: int = 0

    def takes(self, sent: bytes) -> bool:
        """Say whether the reply to this command is lost."""
        if self.command not in sent or (self.times is not None and self.lost >= self.times):
            return False
        self.matched += 1
        if self.matched % self.every:
            return False
        self.lost += 1
        return True


@dataclass(eq=False)
class Pair:
    """One client's connection, and the one to the server behind it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    tail: bytes = b""
    losing: Loss | None = None
    deaf: bool = False
    """True when the server's side is gone and the client has not been told."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def abort(self) -> None:
        """End both sides at once, with a reset."""
        for writer in (self.client, self.server):
            writer.transport.abort()


class BusProxy:
    """Passes everything on until it is told otherwise."""

    def __init__(self, host: str, port: int, *, seed: int = 0) -> None:
        self.target = (host, port)
        self.host, self.port = "127.0.0.1", 0
        self.connected: list[float] = []
        """When each connection came, on the monotonic clock; refused ones are not seen."""
        self.commands = 0
        self._chance = random.Random(seed)
        self._pairs: set[Pair] = set()
        self._losses: list[Loss] = []
        self._delay_seconds = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._serving: asyncio.Server | None = None

    # What can go wrong --------------------------------------------------------------------------------------------

    def lose_replies(self, command: bytes, *, every: int = 1, times: int | None = None, cut: bool = True) -> Loss:
        """Lose the reply to every `every`-th command with these bytes: the server has done it, the client never hears.

        With `cut` the connection ends instead of the reply; without, it stays open and silent.
        """
        loss = Loss(command, every, times, cut)
        self._losses.append(loss)
        return loss

    def cut(self) -> int:
        """Reset every connection there is, and return how many; new ones are taken."""
        pairs = list(self._pairs)
        for pair in pairs:
            pair.abort()
        return len(pairs)

    def cut_some(self, share: float) -> int:
        """Reset each connection with this chance."""
        chosen = [pair for pair in sorted(self._pairs, key=id) if self._chance.random() < share]
        for pair in chosen:
            pair.abort()
        return len(chosen)

    def half_open(self) -> int:
        """End the server's side of every connection, and tell no client: they stay open and nothing ever comes."""
        for pair in self._pairs:
            pair.deaf = True
            pair.server.transport.abort()
        return len(self._pairs)

    def stall(self) -> None:
        """Hold everything back, in both directions, on old and new connections, until `heal`."""
        self._flowing.clear()

    def delay(self, seconds: float) -> None:
        """Hold back each piece for up to this long, by chance, in both directions."""
        self._delay_seconds = seconds

    async def refuse(self) -> None:
        """Take no new connections, and reset the ones there are."""
        if self._serving is not None:
            self._serving.close()
            self._serving = None
        self.cut()

    async def heal(self) -> None:
        """Take connections, pass on everything, lose nothing more."""
        self._losses.clear()
        self._delay_seconds = 0.0
        self._flowing.set()
        for pair in [pair for pair in self._pairs if pair.deaf]:
            pair.abort()
        if self._serving is None:
            await self._listen()

    # How ----------------------------------------------------------------------------------------------------------

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._pairs)

    def fastest(self, window_seconds: float = 1.0) -> int:
        """Return the most connections that came within any window of this length."""
        most, first = 0, 0
        for last, moment in enumerate(self.connected):
            while moment - self.connected[first] > window_seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    async def _listen(self) -> None:
        self._serving = await asyncio.start_server(self._joined, self.host, self.port, backlog=512)
        self.port = self._serving.sockets[0].getsockname()[1]

    async def _joined(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.connected.append(time.monotonic())
        try:
            from_server, server = await asyncio.open_connection(*self.target)
        except OSError:
            client.transport.abort()
            return
        for writer in (client, server):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(client, server)
        self._pairs.add(pair)
        pair.tasks = [
            asyncio.create_task(self._pass(reader, pair, to_server=True)),
            asyncio.create_task(self._pass(from_server, pair, to_server=False)),
        ]
        await asyncio.gather(*pair.tasks, return_exceptions=True)
        self._pairs.discard(pair)
        pair.abort()

    async def _pass(self, reader: asyncio.StreamReader, pair: Pair, *, to_server: bool) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self._delay_seconds:
                    await asyncio.sleep(self._chance.random() * self._delay_seconds)
                await self._flowing.wait()
                if to_server:
                    self._notice(chunk, pair)
                    if pair.deaf:
                        continue  # taken, and gone
                    pair.server.write(chunk)
                    await pair.server.drain()
                elif pair.losing is None:
                    pair.client.write(chunk)
                    await pair.client.drain()
                elif pair.losing.cut:
                    break
        if not to_server and pair.deaf:
            return  # the client keeps what it takes for a connection
        pair.abort()

    def _notice(self, chunk: bytes, pair: Pair) -> None:
        """Count a command, and see whether its reply is to be lost."""
        self.commands += 1
        for loss in self._losses:
            # What was sent before is part of it only where the match needs both: it has been counted already.
            recent = pair.tail[-(len(loss.command) - 1) :] + chunk if len(loss.command) > 1 else chunk
            if pair.losing is None and loss.takes(recent):
                pair.losing = loss
        pair.tail = (pair.tail + chunk)[-TAIL_BYTES:]

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self._flowing.set()
        tasks = [task for pair in self._pairs for task in pair.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
