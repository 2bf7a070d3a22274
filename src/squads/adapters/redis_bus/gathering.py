"""Script calls that are made at the same time go out in one write, and their answers come back in one read.

A call that is alone goes out at once, as if this file were not there. What is called while others are on their way
waits for one of them to come back and then goes along with everything else that waits: the busier the program, the
fewer writes a message takes. All of it may run twice, as every script here may.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from squads.adapters.redis_bus.failures import code_of, failure, passing
from squads.adapters.redis_bus.lines import Argument, ask_all

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

    from squads.adapters.redis_bus.link import Link

FLIGHTS_MAX = 2
"""How many writes may wait for their answers: one that is under way, and one that fills the time until it is back."""
CALLS_MAX = 128
BYTES_MAX = 256 * 1024
"""How much goes out in one write: a large message must not hold up many small ones, nor one lost answer repeat more."""


@dataclass(slots=True, eq=False)
class Call:
    """One call of a script, until it is answered."""

    name: str
    text: bytes
    digest: str
    tail: tuple[Argument, ...]
    slot: int
    size_bytes: int
    answer: asyncio.Future[Any]


class Gathering:
    """The script calls of one link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Call] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._alone = 0

    async def script(self, name: str, text: bytes, digest: str, slot: int, tail: tuple[Argument, ...]) -> Any:
        """Return the script's answer. Raises as `Link.script`."""
        if not self._alone and not self._flights:
            self._alone += 1
            try:
                return await self._link.script_alone(name, text, digest, slot, tail)
            finally:
                self._alone -= 1
                self._set_off()
        size = sum(len(part) for part in tail if isinstance(part, bytes))
        call = Call(name, text, digest, tail, slot, size, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        self._set_off()
        return await call.answer

    def _set_off(self) -> None:
        if self._waiting and len(self._flights) + self._alone < FLIGHTS_MAX:
            # A task, so that whoever is about to call in this turn of the loop comes along.
            flight = asyncio.create_task(self._fly(), name="calls scripts")
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._set_off()

    async def _fly(self) -> None:
        while batch := self._taken():
            try:
                answers = await self._link.together(batch[0].slot, partial(_asked, calls=batch))
            except BaseException as error:
                for call in batch:
                    if not call.answer.done():
                        call.answer.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                if not isinstance(error, Exception):
                    raise
                continue
            for call, answer in zip(batch, answers, strict=True):
                if call.answer.done():  # whoever called was cancelled
                    continue
                if isinstance(answer, Exception):
                    call.answer.set_exception(failure(answer, self._link.address, f"EVALSHA ({call.name})"))
                else:
                    call.answer.set_result(answer)

    def _taken(self) -> list[Call]:
        """Take what waits and goes to one slot, up to the bounds; those whose callers are gone are left out."""
        batch: list[Call] = []
        size = 0
        while self._waiting and len(batch) < CALLS_MAX and size < BYTES_MAX:
            if batch and self._waiting[0].slot != batch[0].slot:
                break
            call = self._waiting.popleft()
            if not call.answer.done():
                batch.append(call)
                size += call.size_bytes
        return batch


async def _asked(line: AbstractConnection, calls: Sequence[Call]) -> list[Any]:
    from redis.exceptions import AskError, NoScriptError

    answers = await ask_all(line, [("EVALSHA", call.digest, *call.tail) for call in calls])
    unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if unknown:
        again = await ask_all(line, [("EVAL", calls[number].text, *calls[number].tail) for number in unknown])
        for number, answer in zip(unknown, again, strict=True):
            answers[number] = answer
    for answer in answers:
        # What passes is for the link, which tries all of it again; all else is for whoever called.
        if isinstance(answer, AskError) or (isinstance(answer, Exception) and passing(code_of(answer))):
            raise answer
    return answers
