"""The link to the bus's server: commands with one deadline and few retries, and a line of its own for every reader.

A command here may be sent twice: when its answer was lost, nobody knows whether it was done. So only what may be
repeated goes through `call`, `calls` and `script`; what must happen once is a script that knows its own id. Nothing
here connects before it is first used, and no error or `repr` holds the password.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, TypeVar

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.facts import OPTIONAL, Greeting, ServerFacts, too_old
from squads.adapters.redis_bus.failures import LinkUnavailable, LinkUnfit, code_of, failure, passing
from squads.adapters.redis_bus.gathering import Gathering
from squads.adapters.redis_bus.heart import Heart
from squads.adapters.redis_bus.lines import Argument, Lines, Place, ask, ask_all, new_connection
from squads.adapters.redis_bus.reader import Reader
from squads.adapters.redis_bus.routes import Routes
from squads.adapters.redis_bus.scripts import source
from squads.contracts.errors import BusClosed

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

T = TypeVar("T")
Work = Callable[["AbstractConnection"], Awaitable[T]]

DEADLINE_SECONDS = 5.0
LINES_MAX = 16
TRIES_MAX = 4
REDIRECTS_MAX = 5
_PAUSE_FIRST, _PAUSE_MAX = 0.05, 1.0

_scripts: dict[str, tuple[bytes, str]] = {}


class Link:
    """One bus's server, as the modules of the bus speak to it."""

    def __init__(self, address: BusAddress, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self.address = address
        self.deadline_seconds = deadline_seconds
        self.routes = Routes(address)
        self._lines: dict[Place, Lines] = {}
        self._readers: set[Reader] = set()
        self._facts: ServerFacts | None = None
        self._closed = False
        self._gathering = Gathering(self)

    @classmethod
    def open(cls, address: BusAddress, *, deadline_seconds: float = DEADLINE_SECONDS) -> Link:
        """Return a link that connects at its first use; every call ends within `deadline_seconds`."""
        return cls(address, deadline_seconds=deadline_seconds)

    def __repr__(self) -> str:
        return f"Link({str(self.address)!r})"

    async def call(self, *command: Argument) -> Any:
        """Return the answer to one command that may be repeated, as bytes, numbers and lists of them.

        Raises `LinkUnavailable` or `LinkUnfit`, whose `code` is the server's own word in small letters, or `BusClosed`.
        """
        return await self._try(str(command[0]), slot_of(command), lambda line: ask(line, command))

    async def calls(self, commands: Sequence[Sequence[Argument]], *, keep_errors: bool = False) -> list[Any]:
        """Return the answers to commands that are sent in one go; together they may be repeated.

        They are no transaction, and their keys belong to one workspace. The first error of the server is raised after
        all were answered; with `keep_errors` it stands in its command's place instead.
        """
        if not commands:
            return []
        slot = next((slot for slot in map(slot_of, commands) if slot), 0)
        names = [str(command[0]) for command in commands]

        async def work(line: AbstractConnection) -> list[Any]:
            answers = await ask_all(line, commands)
            for number, answer in enumerate(answers):
                if isinstance(answer, Exception):
                    if not keep_errors or code_of(answer) in {"moved", "ask"}:
                        raise answer
                    answers[number] = failure(answer, self.address, names[number])
            return answers

        return await self._try("/".join(dict.fromkeys(names)), slot, work)

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Argument] = ()) -> Any:
        """Return what the script `scripts/<name>.lua` answers; it may be run twice, and must know that.

        The server gets its text only when it does not have it: after a start, a failover, or SCRIPT FLUSH.
        """
        text, digest = script_text(name)
        tail = (len(keys), *keys, *args)
        return await self._gathering.script(name, text, digest, slot_of(tail), tail)

    async def script_alone(self, name: str, text: bytes, digest: str, slot: int, tail: Sequence[Argument]) -> Any:
        """Call one script, alone."""

        async def work(line: AbstractConnection) -> Any:
            from redis.exceptions import NoScriptError

            try:
                return await ask(line, ("EVALSHA", digest, *tail))
            except NoScriptError:
                return await ask(line, ("EVAL", text, *tail))

        return await self._try(f"EVALSHA ({name})", slot, work)

    async def together(self, slot: int, work: Work[list[Any]]) -> list[Any]:
        """Do something that asks the server much at once."""
        return await self._try("EVALSHA", slot, work)

    def reader(self) -> Reader:
        """Return a reader with one connection of its own, so that waiting for messages never holds up a command."""
        reader = Reader(self, self._readers.discard)
        self._readers.add(reader)
        return reader

    def heart(self, *, seconds: float = 2.0) -> Heart:
        """Return what a thread may beat with: a plain connection that no other part of the program can hold up."""
        return Heart(self.address, self.routes, seconds=seconds)

    async def server(self) -> ServerFacts:
        """Return what the server is and which newer commands it has; asked once."""
        if self._facts is None:
            answers = await self.calls([(name.upper(),) for name in OPTIONAL], keep_errors=True)
            greeting = self.greeting()
            unknown = [isinstance(answer, Exception) and "unknown command" in str(answer) for answer in answers]
            self._facts = ServerFacts(
                brand=greeting.brand,
                version=greeting.version,
                mode=greeting.mode,
                primary=greeting.primary,
                commands=frozenset(name for name, missing in zip(OPTIONAL, unknown, strict=True) if not missing),
            )
        return self._facts

    def greeting(self) -> Greeting:
        """Return how the server last introduced itself. Raises `LinkUnavailable` before anything was connected."""
        for lines in self._lines.values():
            if lines.greeting is not None:
                return lines.greeting
        raise LinkUnavailable(f"nothing was asked of the bus at {self.address} yet", "unasked")

    async def close(self) -> None:
        """Close every connection. Closing twice is no error."""
        self._closed = True
        for reader in list(self._readers):
            await reader.close()
        for lines in self._lines.values():
            await lines.close()

    async def _try(self, what: str, slot: int, work: Work[T]) -> T:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.deadline_seconds
        tries = 0
        while True:
            self.check_open()
            tries += 1
            try:
                # One lost answer must leave time for a second try on a fresh line.
                async with asyncio.timeout_at(min(end, loop.time() + self.deadline_seconds * 0.6)):
                    return await self._once(slot, work)
            except Exception as error:
                code = code_of(error)
                if isinstance(error, TimeoutError) and (place := self.routes.place(slot)):
                    await self.lost(slot, place, error)  # inside, the deadline was a cancellation like any other
                pause = random.uniform(0, min(_PAUSE_MAX, _PAUSE_FIRST * 2**tries))  # noqa: S311 - no secret
                over = tries >= TRIES_MAX or loop.time() + pause >= end
                if isinstance(error, BusClosed):
                    raise
                elsewhere = code == "readonly" and self.address.kind in {"sentinel", "cluster"}
                if over or not (passing(code) or elsewhere):
                    raise failure(error, self.address, what, tries=tries) from error
            await asyncio.sleep(pause)

    async def _once(self, slot: int, work: Work[T]) -> T:
        from redis.exceptions import AskError, MovedError

        place = await self.routes.find(slot, seconds=self.deadline_seconds / 2)
        asking = False
        for _ in range(REDIRECTS_MAX):
            try:
                async with self.lines(place).line() as line:
                    self.check_greeting(place)
                    if asking:
                        await ask(line, ("ASKING",))
                    return await work(line)
            except AskError as error:  # MOVED is one of them
                if self.address.kind != "cluster":
                    raise
                place, asking = self.routes.moved(error, place), not isinstance(error, MovedError)
            except Exception as error:
                await self.lost(slot, place, error)
                raise
        raise LinkUnavailable(
            f"the cluster at {self.address} sent a command from node to node {REDIRECTS_MAX} times; "
            f"look at CLUSTER NODES: its nodes do not agree who holds the slot",
            "moved",
        )

    async def lost(self, slot: int, place: Place, error: Exception) -> None:
        """Forget a server that cannot be reached or is none to write to any more."""
        code = code_of(error)
        if passing(code) or code == "readonly":
            self.routes.lost(slot, place)
            if place in self._lines:
                await self._lines[place].drop()

    def lines(self, place: Place) -> Lines:
        """Return the shared connections to one server."""
        if place not in self._lines:
            self._lines[place] = Lines(lambda: self.connection(place), lines_max=LINES_MAX)
        return self._lines[place]

    def connection(self, place: Place) -> AbstractConnection:
        """Return a connection to one server, not connected yet."""
        return new_connection(self.address, place, connect_seconds=self.deadline_seconds / 2)

    def check_greeting(self, place: Place) -> None:
        """Raise `LinkUnfit` for a server that is too old, `LinkUnavailable` where Sentinel named one that is none."""
        greeting = self.lines(place).greeting
        if greeting is not None:
            check(greeting, self.address)

    def check_open(self) -> None:
        """Raise `BusClosed` when this link was closed."""
        if self._closed:
            raise BusClosed(f"the link to the bus at {self.address} was closed")


def check(greeting: Greeting, address: BusAddress) -> None:
    """Raise for a server that the bus cannot use, by what it says of itself."""
    if wrong := too_old(greeting):
        raise LinkUnfit(f"the server at {address} {wrong}", "old")
    if greeting.mode == "sentinel":
        raise LinkUnfit(
            f"a sentinel listens at {address}; write redis+sentinel://host:port/service to have it asked", "sentinel"
        )
    if not greeting.primary and address.kind == "sentinel":
        raise LinkUnavailable(f"the server that Sentinel named at {address} is a replica by now (READONLY)", "readonly")


def slot_of(command: Sequence[Argument]) -> int:
    """Return the cluster's slot of a command by its first argument with a hash tag; 0 for a command without keys."""
    for argument in command:
        if isinstance(argument, str):
            argument = argument.encode()
        if isinstance(argument, bytes) and (begin := argument.find(b"{", 0, 64)) >= 0:
            end = argument.find(b"}", begin)
            return _slot(argument[begin : end + 1] if end > begin + 1 else argument)
    return 0


@lru_cache(maxsize=1_024)
def _slot(tag: bytes) -> int:
    from redis.crc import key_slot

    return int(key_slot(tag))


def script_text(name: str) -> tuple[bytes, str]:
    """Return a script's text and its digest as the server knows it."""
    if name not in _scripts:
        text = source(name).encode()
        _scripts[name] = (text, sha1(text, usedforsecurity=False).hexdigest())
    return _scripts[name]
